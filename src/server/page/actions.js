// SPDX-License-Identifier: MIT
// What the page can do to AMPS, each after a confirmation, and the token for all of it.

import { text } from "./texts.js";

const dialog = document.getElementById("confirm");
const form = dialog.querySelector("form");
const field = document.getElementById("confirm-field");
const input = field.querySelector("input");
const problem = document.getElementById("confirm-problem");

// It ends with the tab, and no other page sees it.
const TOKEN = "amps-token";

export function getHeaders() {
  const token = sessionStorage.getItem(TOKEN);

  return token === null ? {} : { Authorization: `Bearer ${token}` };
}

function prepare({ title, words, button, label, type, value }) {
  document.getElementById("confirm-title").textContent = title;
  document.getElementById("confirm-text").textContent = words;
  form.querySelector("[type=submit]").textContent = button;
  problem.textContent = "";
  field.hidden = label === undefined;
  field.querySelector("span").textContent = label ?? "";
  input.type = type ?? "text";
  input.value = value ?? "";
}

// Asks, and does `act` with what was typed until it succeeds or the user gives up.
export function ask(question, act) {
  prepare(question);
  form.onsubmit = async (event) => {
    event.preventDefault();
    try {
      await act(input.value);
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
    }
  };
  dialog.showModal();
}

// Calls the API; returns what it answers.
export async function call(method, path, body) {
  const answer = await fetch(path, { method, headers: getHeaders(), body: body && JSON.stringify(body) });
  const said = await answer.json();

  if (!answer.ok)
    throw new Error(said.detail);
  return said;
}

function confirmCall(name) {
  ask({ title: text(`${name}Title`), words: text(`${name}Text`), button: text(name) }, () => call("POST", name));
}

function changeConcurrency(limit) {
  ask({
    title: text("concurrencyTitle"), words: text("concurrencyText"), button: text("change"),
    label: text("concurrencyField"), type: "number", value: limit,
  }, (value) => call("POST", "concurrency", { limit: Number(value) }));
}

// Asks for the token, and calls `retry` with it; `wrong` if there was one.
export function askForToken(retry) {
  const wrong = sessionStorage.getItem(TOKEN) !== null;

  if (dialog.open)
    dialog.close();
  ask({ title: text("tokenTitle"), words: text("tokenText"), button: text("open"), label: text("tokenField"), type: "password" },
    (value) => {
      sessionStorage.setItem(TOKEN, value);
      retry();
    });
  problem.textContent = wrong ? text("tokenWrong") : "";
}

const buttons = Object.fromEntries(["pause", "resume", "drain", "concurrency", "show-letters"].map((id) => [id, document.getElementById(id)]));
let limit = 1;

export function listen() {
  for (const name of ["pause", "resume", "drain"])
    buttons[name].addEventListener("click", () => confirmCall(name));
  buttons.concurrency.addEventListener("click", () => changeConcurrency(limit));
  form.querySelector("[value=cancel]").addEventListener("click", () => dialog.close());
}

// Offers what makes sense; nothing without a look.
export function offer(look) {
  const stopped = look?.state === "paused" || look?.state === "draining";

  limit = look?.workload.limit ?? limit;
  buttons.pause.disabled = !look || stopped;
  buttons.resume.disabled = !look || !stopped;
  buttons.drain.disabled = !look || look.state === "draining";
  buttons.concurrency.disabled = !look;
  buttons["show-letters"].disabled = !look?.queues.dead_letter_queue;
}
