// SPDX-License-Identifier: MIT
// The dead letters: looked at when somebody asks, since the broker has to hand them out for it.

import { ask, call } from "./actions.js";
import { moment, number, text } from "./texts.js";
import { setRows } from "./view.js";

const dialog = document.getElementById("letters");
const problem = document.getElementById("letters-problem");
const body = dialog.querySelector("tbody");
const all = dialog.querySelector("[value=all]");
let count = 0;

function addButton(cell, letter) {
  const button = document.createElement("button");

  button.type = "button";
  button.textContent = text("redrive");
  button.setAttribute("aria-label", text("redriveOne", { id: letter.id }));
  button.addEventListener("click", () => redrive(text("redriveText", { id: letter.id }), { identifier: letter.id }));
  cell.replaceChildren(button);
}

function show(letters) {
  setRows(body, letters.map((letter) => [
    letter.time ? moment(Date.parse(letter.time)) : "–", letter.id ?? text("noEvent"), letter.detail ?? letter.reason ?? "–", "",
  ]), ["when", "words id", "words", ""]);
  // One without an id can only go with all others.
  letters.forEach((letter, index) => letter.id && addButton(body.rows[index].cells[3], letter));
  document.getElementById("letters-shown").textContent = letters.length === 0 ? ""
    : text("lettersShown", { shown: number(letters.length), count: number(count) });
  dialog.querySelector(".scroll").hidden = letters.length === 0;
  dialog.querySelector(".empty").hidden = letters.length > 0;
  all.disabled = letters.length === 0;
}

// Asks for them, which may take a moment.
async function look() {
  show([]);
  dialog.querySelector(".empty").hidden = true;
  document.getElementById("letters-shown").textContent = text("lettersWait");
  try {
    const answer = await call("GET", "dead-letters");
    count = answer.count;
    show(answer.letters);
  } catch (error) {
    document.getElementById("letters-shown").textContent = "";
    problem.textContent = error.message;
  }
}

function redrive(words, selection) {
  problem.textContent = "";
  ask({ title: text("redriveTitle"), words, button: text("redrive") }, async () => {
    const { failed } = await call("POST", "dead-letters/redrive", selection);

    problem.textContent = failed > 0 ? text("redriveFailed", { count: number(failed) }) : "";
    look();
  });
}

export function listenForLetters() {
  document.getElementById("show-letters").addEventListener("click", () => {
    problem.textContent = "";
    dialog.showModal();
    look();
  });
  all.addEventListener("click", () => redrive(text("redriveAllText", { count: number(count) }), { all: true }));
  dialog.querySelector("[value=close]").addEventListener("click", () => dialog.close());
}
