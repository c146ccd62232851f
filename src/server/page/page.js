// SPDX-License-Identifier: MIT
// Puts the parts of the page together.

import { askForToken, getHeaders, listen, offer } from "./actions.js";
import { listenForLetters } from "./letters.js";
import { Plot } from "./plot.js";
import { Stream } from "./stream.js";
import { duration, shortDuration, shortNumber, text, translate } from "./texts.js";
import { show, showLink, showLost } from "./view.js";

const SPAN = 15 * 60 * 1000;
// Rates are means of so many looks, which come once a second.
const LOOKS = 6;
const ENDS = ["acknowledged", "rejected", "retried", "expired", "released", "rescheduled", "malformed"];

let looks = [];
let samples = [];

translate();
document.getElementById("load").setAttribute("aria-label", text("load"));

const perSecond = (name) => (sample) => (sample === null ? 0 : sample[name] / sample.seconds);
const seconds = (name) => (sample) => (sample === null ? null : sample[name]);
const throughput = new Plot(document.getElementById("throughput"), {
  title: text("throughput"), format: shortNumber, formatTick: shortNumber, end: text("now"),
  series: [[text("done"), perSecond("done")], [text("retried"), perSecond("retried")], [text("failed"), perSecond("failed")]],
});
const latency = new Plot(document.getElementById("latency"), {
  title: text("latency"), format: duration, formatTick: shortDuration, end: text("now"), logarithmic: true,
  series: [[text("p50"), seconds("p50")], [text("p95"), seconds("p95")], [text("p99"), seconds("p99")]],
});

function countRates() {
  const [first, last] = [looks[0], looks.at(-1)];
  const elapsed = (Date.parse(last.time) - Date.parse(first.time)) / 1000;
  const mean = (names) => (elapsed > 0
    ? names.reduce((sum, name) => sum + last.totals[name] - first.totals[name], 0) / elapsed : 0);

  return { received: mean(["received"]), ended: mean(ENDS) };
}

function addSamples(more) {
  const last = samples.at(-1)?.time ?? 0;

  samples.push(...more.filter((sample) => sample.time > last));
}

function showHistory(look) {
  const now = Date.parse(look.time);

  samples = samples.filter((sample) => sample.time > now - SPAN);
  for (const plot of [throughput, latency])
    plot.show(samples, now - look.uptime * 1000, now);
}

const stream = new Stream(getHeaders, {
  history(all) {
    looks = [];
    samples = all;
  },

  status(look) {
    looks = [...looks, look].slice(-LOOKS);
    addSamples(look.samples);
    show(look, countRates());
    showHistory(look);
    showLink("good", text("live"));
    offer(look);
  },

  lost(detail) {
    showLost(looks.at(-1), detail);
    showLink("bad", text("lost"));
    offer(null);
  },

  unauthorized() {
    showLink("bad", text("tokenTitle"));
    offer(null);
    askForToken(() => stream.start());
  },
});

listen();
listenForLetters();
showLink("idle", text("connecting"));
stream.start();
