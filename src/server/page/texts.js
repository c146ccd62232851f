// SPDX-License-Identifier: MIT
// All texts of the page, in each of its languages.

const english = {
  pause: "Pause",
  resume: "Resume",
  drain: "Drain",
  concurrency: "Concurrency",
  cancel: "Cancel",
  path: "From the queue to the workload",
  queue: "Queue",
  workload: "Workload",
  waiting: "waiting",
  inFlight: "in flight",
  ofLimit: "of {limit} at once",
  load: "Places taken in the workload",
  retrying: "wait for their next attempt",
  dead: "dead letters",
  history: "The last 15 minutes",
  jobs: "Jobs in flight",
  shown: "the {shown} oldest of {count}",
  job: "Job",
  state: "State",
  age: "Age",
  attempt: "Attempt",
  deadline: "Deadline",
  heartbeats: "Heartbeats",
  noJobs: "No job is in flight.",
  failures: "Last failures",
  when: "When",
  outcome: "Outcome",
  reason: "Reason",
  noFailures: "None since the start.",
  noEvent: "(not an event)",
  perSecond: "{rate}/s",
  ago: "{time} ago",
  inTime: "in {time}",
  overdue: "overdue",
  attemptOf: "{outcome}, attempt {attempt}",
  now: "now",
  throughput: "Jobs per second",
  done: "done",
  retried: "retried",
  failed: "rejected",
  latency: "Time of a run",
  p50: "median",
  p95: "95 %",
  p99: "99 %",
  none: "none",
  about: "AMPS {version}, worker {worker}, up {uptime}",
  live: "live",
  connecting: "connecting",
  lost: "no connection to AMPS, trying again",
  refused: "AMPS refuses: {detail}",
  allWell: "All is well: jobs flow.",
  idle: "All is well: no jobs wait.",
  notReady: "Not ready: {obstacles}",
  pausedVerdict: "Paused: AMPS takes no more messages until it is resumed.",
  drainingVerdict: "Draining: {count} jobs still in flight.",
  drainedVerdict: "Drained: nothing is in flight, and AMPS takes no more messages.",
  lostVerdict: "No connection to AMPS. What you see is from {time}.",
  blocked: "The broker takes no copies now: it is short of memory or disk.",
  starting: "starting",
  running: "running",
  paused: "paused",
  draining: "draining",
  disconnected: "disconnected",
  connected: "connected",
  consuming: "connected",
  available: "available",
  unavailable: "away",
  refusing: "refuses all jobs",
  "job-waiting": "waiting",
  "job-posting": "being sent",
  "job-running": "running",
  "job-deciding": "being decided",
  "job-decided": "being settled",
  rejected: "rejected",
  retriedOutcome: "tried again",
  expired: "expired",
  malformed: "not an event",
  pauseTitle: "Pause AMPS?",
  pauseText: "It takes no more messages. Jobs in flight go on.",
  resumeTitle: "Resume AMPS?",
  resumeText: "It takes messages again.",
  drainTitle: "Drain AMPS?",
  drainText: "It takes no more messages and gives back what was not sent to the workload yet. Jobs in the workload go on.",
  concurrencyTitle: "Change the concurrency?",
  concurrencyText: "How many jobs may be in the workload at once, until AMPS is restarted.",
  concurrencyField: "Jobs at once, 1 to 65535",
  change: "Change",
  tokenTitle: "Token required",
  tokenText: "This AMPS asks for its API_TOKEN. The page keeps it until this tab is closed.",
  tokenField: "Token",
  tokenWrong: "AMPS does not take this token.",
  show: "Show",
  letters: "Dead letters",
  lettersShown: "{shown} of {count}",
  noLetters: "There are none.",
  lettersWait: "AMPS asks the broker…",
  redriving: "Back to the queue",
  redrive: "Redrive",
  redriveOne: "Redrive {id}",
  redriveAll: "Redrive all",
  redriveTitle: "Redrive dead letters?",
  redriveText: "{id} goes back to the queue that it came from, and begins with its first attempt.",
  redriveAllText: "All {count} go back to the queue that they came from, and begin with their first attempt.",
  redriveFailed: "{count} could not be put back.",
  close: "Close",
  open: "Open",
};

const german = {
  pause: "Anhalten",
  resume: "Fortsetzen",
  drain: "Leeren",
  concurrency: "Parallelität",
  cancel: "Abbrechen",
  path: "Von der Warteschlange zum Workload",
  queue: "Warteschlange",
  workload: "Workload",
  waiting: "warten",
  inFlight: "in Arbeit",
  ofLimit: "von {limit} zugleich",
  load: "Belegte Plätze im Workload",
  retrying: "warten auf ihren nächsten Versuch",
  dead: "abgelehnte Aufträge",
  history: "Die letzten 15 Minuten",
  jobs: "Aufträge in Arbeit",
  shown: "die {shown} ältesten von {count}",
  job: "Auftrag",
  state: "Zustand",
  age: "Alter",
  attempt: "Versuch",
  deadline: "Frist",
  heartbeats: "Lebenszeichen",
  noJobs: "Kein Auftrag ist in Arbeit.",
  failures: "Letzte Fehlschläge",
  when: "Wann",
  outcome: "Ausgang",
  reason: "Grund",
  noFailures: "Keine seit dem Start.",
  noEvent: "(kein Event)",
  perSecond: "{rate}/s",
  ago: "vor {time}",
  inTime: "in {time}",
  overdue: "überschritten",
  attemptOf: "{outcome}, Versuch {attempt}",
  now: "jetzt",
  throughput: "Aufträge je Sekunde",
  done: "erledigt",
  retried: "wiederholt",
  failed: "abgelehnt",
  latency: "Dauer eines Laufs",
  p50: "Median",
  p95: "95 %",
  p99: "99 %",
  none: "keine",
  about: "AMPS {version}, Worker {worker}, läuft seit {uptime}",
  live: "live",
  connecting: "verbindet sich",
  lost: "keine Verbindung zu AMPS, neuer Versuch läuft",
  refused: "AMPS lehnt ab: {detail}",
  allWell: "Alles in Ordnung: Aufträge fließen.",
  idle: "Alles in Ordnung: kein Auftrag wartet.",
  notReady: "Nicht bereit: {obstacles}",
  pausedVerdict: "Angehalten: AMPS nimmt keine Nachrichten mehr an, bis es fortgesetzt wird.",
  drainingVerdict: "Leert sich: noch {count} Aufträge in Arbeit.",
  drainedVerdict: "Geleert: nichts ist in Arbeit, und AMPS nimmt keine Nachrichten mehr an.",
  lostVerdict: "Keine Verbindung zu AMPS. Der Stand ist von {time}.",
  blocked: "Der Broker nimmt gerade keine Kopien an: Speicher oder Platte sind knapp.",
  starting: "startet",
  running: "läuft",
  paused: "angehalten",
  draining: "leert sich",
  disconnected: "getrennt",
  connected: "verbunden",
  consuming: "verbunden",
  available: "bereit",
  unavailable: "nicht da",
  refusing: "weist alles ab",
  "job-waiting": "wartet",
  "job-posting": "wird gesendet",
  "job-running": "läuft",
  "job-deciding": "wird entschieden",
  "job-decided": "wird abgeschlossen",
  rejected: "abgelehnt",
  retriedOutcome: "wird wiederholt",
  expired: "abgelaufen",
  malformed: "kein Event",
  pauseTitle: "AMPS anhalten?",
  pauseText: "Es nimmt keine Nachrichten mehr an. Aufträge in Arbeit laufen weiter.",
  resumeTitle: "AMPS fortsetzen?",
  resumeText: "Es nimmt wieder Nachrichten an.",
  drainTitle: "AMPS leeren?",
  drainText: "Es nimmt keine Nachrichten mehr an und gibt zurück, was noch nicht beim Workload ist. Aufträge im Workload laufen weiter.",
  concurrencyTitle: "Parallelität ändern?",
  concurrencyText: "Wie viele Aufträge zugleich beim Workload sein dürfen, bis AMPS neu gestartet wird.",
  concurrencyField: "Aufträge zugleich, 1 bis 65535",
  change: "Ändern",
  tokenTitle: "Token nötig",
  tokenText: "Dieses AMPS verlangt sein API_TOKEN. Die Seite behält es, bis der Tab geschlossen wird.",
  tokenField: "Token",
  tokenWrong: "AMPS nimmt dieses Token nicht an.",
  show: "Zeigen",
  letters: "Abgelehnte Aufträge",
  lettersShown: "{shown} von {count}",
  noLetters: "Es gibt keine.",
  lettersWait: "AMPS fragt den Broker …",
  redriving: "Zurück in die Warteschlange",
  redrive: "Zurückstellen",
  redriveOne: "{id} zurückstellen",
  redriveAll: "Alle zurückstellen",
  redriveTitle: "Abgelehnte Aufträge zurückstellen?",
  redriveText: "{id} geht in die Warteschlange zurück, aus der er kam, und beginnt mit dem ersten Versuch.",
  redriveAllText: "Alle {count} gehen in die Warteschlange zurück, aus der sie kamen, und beginnen mit dem ersten Versuch.",
  redriveFailed: "{count} ließen sich nicht zurückstellen.",
  close: "Schließen",
  open: "Öffnen",
};

export const language = navigator.language.toLowerCase().startsWith("de") ? "de" : "en";
const texts = language === "de" ? german : english;

// The text of a name, with values in the places that it has for them.
export function text(name, values = {}) {
  return texts[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}

// Puts the texts where the document has names for them.
export function translate() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]"))
    element.textContent = text(element.dataset.text);
}

const plain = new Intl.NumberFormat(navigator.language);
const precise = new Intl.NumberFormat(navigator.language, { maximumSignificantDigits: 3 });

export function number(value) {
  return value === undefined || value === null ? "–" : plain.format(value);
}

// No more digits than somebody reads at a glance.
export function shortNumber(value) {
  return value < 1000 ? precise.format(value) : plain.format(Math.round(value));
}

export function rate(value) {
  return text("perSecond", { rate: shortNumber(value) });
}

// Seconds, as people say them.
export function duration(seconds) {
  if (seconds === null)
    return "–";
  if (seconds < 0.001)
    return `${precise.format(seconds * 1e6)} µs`;
  if (seconds < 1)
    return `${precise.format(seconds * 1e3)} ms`;
  if (seconds < 10)
    return `${precise.format(seconds)} s`;
  return wholeDuration(seconds);
}

// The same in few characters, for a scale.
export function shortDuration(seconds) {
  return seconds < 10 ? duration(seconds) : `${plain.format(seconds)} s`;
}

// The same without fractions: for what changes while one looks.
export function wholeDuration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes] = [Math.floor(whole / 86400), Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60];

  if (days > 0)
    return `${days} d ${hours} h`;
  if (hours > 0)
    return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

// With its day.
export function moment(milliseconds) {
  return new Date(milliseconds).toLocaleString(navigator.language, { dateStyle: "short", timeStyle: "medium" });
}

export function clock(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString(navigator.language);
}
