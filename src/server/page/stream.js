// SPDX-License-Identifier: MIT
// The server-sent events of AMPS. An EventSource can send no token, so they are read by fetch().

const SILENCE = 6000;
const FIRST_DELAY = 500;
const MAX_DELAY = 10000;

// Reads the events of an answer, and gives each to `receive`.
async function read(body, receive) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let pending = "";

  for (;;) {
    const { value, done } = await reader.read();
    if (done)
      return;
    const events = (pending + value).split("\n\n");
    pending = events.pop();
    for (const event of events)
      receive(/^event: (\w+)\n/.exec(event)[1], JSON.parse(event.slice(event.indexOf("\ndata: ") + 7)));
  }
}

// Stays connected to AMPS, for as long as the page is seen.
export class Stream {
  constructor(getHeaders, handlers) {
    this.getHeaders = getHeaders;
    this.handlers = handlers;
    this.delay = FIRST_DELAY;
    this.timer = 0;
    this.controller = null;
    document.addEventListener("visibilitychange", () => this.start());
  }

  // Connects now, unless nobody looks.
  start() {
    this.stop();
    this.delay = FIRST_DELAY;
    if (!document.hidden)
      this.connect();
  }

  stop() {
    clearTimeout(this.timer);
    this.controller?.abort();
    this.controller = null;
  }

  async connect() {
    const controller = new AbortController();
    let detail = null;

    this.controller = controller;
    try {
      this.watch(controller);
      const answer = await fetch("events", { headers: this.getHeaders(), signal: controller.signal });
      if (answer.ok)
        await read(answer.body, (name, data) => this.receive(controller, name, data));
      else if (answer.status === 401)
        return this.handlers.unauthorized();
      else
        detail = (await answer.json()).detail;
    } catch (error) {
      // Most often AMPS is away; what this page gets wrong is for its developer.
      console.info(error);
    } finally {
      clearTimeout(controller.watchdog);
    }
    // Not if another connection has begun, or none is wanted any more.
    if (this.controller === controller)
      this.retry(detail);
  }

  receive(controller, name, data) {
    if (this.controller !== controller)
      return;
    this.watch(controller);
    this.delay = FIRST_DELAY;
    this.handlers[name](data);
  }

  // A connection that says nothing is gone.
  watch(controller) {
    clearTimeout(controller.watchdog);
    controller.watchdog = setTimeout(() => controller.abort(), SILENCE);
  }

  // `detail` is why AMPS has refused, if it has answered.
  retry(detail) {
    this.handlers.lost(detail);
    this.timer = setTimeout(() => this.connect(), this.delay);
    this.delay = Math.min(2 * this.delay, MAX_DELAY);
  }
}
