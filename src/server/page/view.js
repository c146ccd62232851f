// SPDX-License-Identifier: MIT
// Shows a look at AMPS. What it says is written by many, so it only ever becomes text.

import { clock, number, rate, text, wholeDuration } from "./texts.js";

// Seconds after its start in which AMPS need not be ready.
const START = 10;

const get = (id) => document.getElementById(id);

// The least that is to be changed, so that nothing flickers and a selection stays.
function setText(element, words) {
  if (element.textContent !== words)
    element.textContent = words;
}

function setLevel(element, level) {
  if (element.dataset.level !== level)
    element.dataset.level = level;
}

function setStation(id, level, state) {
  setLevel(get(id), level);
  setText(get(id).querySelector(".state"), state);
}

// Rows of cells, each a text or a pair of text and level; `kinds` are the classes of columns.
export function setRows(body, rows, kinds) {
  while (body.rows.length > rows.length)
    body.deleteRow(-1);
  rows.forEach((cells, index) => {
    const row = body.rows[index] ?? body.insertRow();
    cells.forEach((cell, column) => {
      const element = row.cells[column] ?? row.insertCell();
      const [words, level] = Array.isArray(cell) ? cell : [cell, "idle"];
      element.className = kinds[column];
      setText(element, words);
      setLevel(element, level);
    });
  });
}

// What an operator reads first: a level, and why.
function judge(look) {
  const obstacles = look.obstacles.join("; ");

  if (look.state === "paused")
    return ["warn", text("pausedVerdict")];
  if (look.state === "draining")
    return ["warn", look.in_flight > 0 ? text("drainingVerdict", { count: number(look.in_flight) }) : text("drainedVerdict")];
  if (!look.ready)
    return [look.uptime < START ? "warn" : "bad", text("notReady", { obstacles })];
  if (look.broker.blocked)
    return ["warn", text("blocked")];
  return ["good", look.in_flight > 0 || look.queues.waiting > 0 ? text("allWell") : text("idle")];
}

function showPath(look, rates) {
  const { broker, queues, workload } = look;
  const states = { running: "good", starting: "warn" };

  setStation("broker", broker.state === "disconnected" ? "bad" : broker.blocked ? "warn" : "good", text(broker.state));
  setText(get("waiting"), number(queues.waiting));
  setText(get("broker-detail"), broker.detail ?? "");
  setStation("amps", states[look.state] ?? "warn", text(look.state));
  setText(get("in-flight"), number(look.in_flight));
  setStation("workload", workload.state === "available" ? "good" : "bad", text(workload.state));
  setText(get("running"), number(workload.jobs));
  setText(get("limit"), text("ofLimit", { limit: number(workload.limit) }));
  get("load").value = Math.min(workload.jobs / workload.limit, 1);
  setText(get("rate-in"), rate(rates.received));
  setText(get("rate-out"), rate(rates.ended));
  setText(get("retrying"), number(queues.retrying));
  setText(get("dead-count"), number(queues.dead));
  setLevel(get("dead"), queues.dead > 0 ? "warn" : "idle");
}

function showJobs(look, now) {
  const left = (time) => (time === null ? "–" : Date.parse(time) > now ? text("inTime", { time: wholeDuration((Date.parse(time) - now) / 1000) }) : text("overdue"));
  const age = (time) => wholeDuration((now - Date.parse(time)) / 1000);
  const beats = (job) => (job.heartbeats === 0 ? "–" : `${number(job.heartbeats)}, ${text("ago", { time: age(job.last_heartbeat) })}`);

  setRows(get("jobs"), look.jobs.map((job) => [
    job.id, text(`job-${job.state}`), age(job.since), [number(job.attempt), job.attempt > 1 ? "warn" : "idle"],
    left(job.deadline), beats(job),
  ]), ["words id", "", "number", "number", "number", "number"]);
  setText(get("jobs-shown"), look.jobs.length < look.in_flight
    ? text("shown", { shown: number(look.jobs.length), count: number(look.in_flight) }) : "");
  get("jobs").closest(".scroll").hidden = look.jobs.length === 0;
  get("no-jobs").hidden = look.jobs.length > 0;
}

function showFailures(look, now) {
  const outcomes = { rejected: "bad", malformed: "bad" };

  setRows(get("failures"), look.failures.map((failure) => [
    [clock(Date.parse(failure.time)), "idle"], failure.id ?? text("noEvent"),
    [text("attemptOf", { outcome: text(failure.outcome === "retried" ? "retriedOutcome" : failure.outcome), attempt: number(failure.attempt) }),
      outcomes[failure.outcome] ?? "warn"],
    failure.detail ?? failure.reason,
  ]), ["when", "words id", "outcome", "words"]);
  get("failures").closest(".scroll").hidden = look.failures.length === 0;
  get("no-failures").hidden = look.failures.length > 0;
}

// `rates` are jobs per second.
export function show(look, rates) {
  const now = Date.parse(look.time);
  const [level, words] = judge(look);

  document.title = `${look.queue} · ${text(look.state)} · AMPS`;
  setText(get("queue"), look.queue);
  setLevel(get("verdict"), level);
  setText(get("verdict"), words);
  showPath(look, rates);
  showJobs(look, now);
  showFailures(look, now);
  setText(get("about"), text("about", { version: look.version, worker: look.worker, uptime: wholeDuration(look.uptime) }));
}

export function showLink(level, words) {
  setLevel(get("link"), level);
  setText(get("link"), words);
}

// What is seen is not what is.
export function showLost(look, detail) {
  const lost = look ? text("lostVerdict", { time: clock(Date.parse(look.time)) }) : text("lost");

  setLevel(get("verdict"), "bad");
  setText(get("verdict"), detail ? text("refused", { detail }) : lost);
}
