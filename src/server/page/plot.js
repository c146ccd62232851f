// SPDX-License-Identifier: MIT
// Lines over the last quarter of an hour, as SVG.

const SPAN = 15 * 60 * 1000;
const STEP = 5000;
// In rem, as the texts are.
const [LEFT, RIGHT, TOP, BOTTOM] = [3.6, 0.5, 0.6, 1.4];
const SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes, parent) {
  const element = document.createElementNS(SVG, name);

  for (const [key, value] of Object.entries(attributes))
    element.setAttribute(key, value);
  parent.append(element);
  return element;
}

// Round numbers from 0 to a little more than the largest value.
function linearTicks(max) {
  const rough = max / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);

  return [0, 1, 2, 3].map((index) => index * step);
}

// Powers of ten around all values.
function logarithmicTicks(min, max) {
  const first = Math.floor(Math.log10(min));
  const last = Math.max(Math.ceil(Math.log10(max)), first + 1);

  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
}

export class Plot {
  // `series` are pairs of a label and a function that takes a value from a sample, or null.
  constructor(figure, { title, series, format, formatTick, logarithmic, end }) {
    Object.assign(this, { series, format, formatTick, logarithmic, end });
    this.title = title;
    this.caption = figure.appendChild(document.createElement("figcaption"));
    this.caption.appendChild(document.createElement("strong")).textContent = title;
    this.keys = series.map((_, index) => {
      const key = this.caption.appendChild(document.createElement("span"));
      key.className = `key series-${index + 1}`;
      return key;
    });
    this.image = svg("svg", { role: "img" }, figure);
    this.samples = [];
    new ResizeObserver(() => this.draw()).observe(figure);
  }

  // `samples` in the order of their times; all times are in ms. There was nothing before `since`.
  show(samples, since, now) {
    Object.assign(this, { samples, since, now });
    this.draw();
  }

  // Times without a sample are ones in which nothing happened.
  getPoints(get) {
    const points = [];
    let last = Math.max(this.now - SPAN, this.since);

    for (const sample of this.samples) {
      if (sample.time - last > 2 * STEP)
        points.push([last + 1, get(null)], [sample.time - sample.seconds * 1000 - 1, get(null)]);
      points.push([sample.time, get(sample)]);
      last = sample.time;
    }
    if (this.now - last > 2 * STEP)
      points.push([last + 1, get(null)], [this.now, get(null)]);
    return points;
  }

  getTicks(lines) {
    const values = lines.flat().map(([, value]) => value).filter((value) => value > 0);

    if (this.logarithmic)
      return values.length > 0 ? logarithmicTicks(Math.min(...values), Math.max(...values)) : [0.001, 0.01, 0.1, 1];
    return linearTicks(Math.max(0.3, ...values));
  }

  draw() {
    const { clientWidth: width, clientHeight: height } = this.image;

    if (this.now === undefined || width === 0)
      return;

    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const [left, right, top, bottom] = [LEFT * rem, width - RIGHT * rem, TOP * rem, height - BOTTOM * rem];
    const lines = this.series.map(([, get]) => this.getPoints(get));
    const ticks = this.getTicks(lines);
    const scale = this.logarithmic ? Math.log10 : (value) => value;
    const [low, high] = [scale(ticks[0]), scale(ticks.at(-1))];
    const x = (time) => right - (right - left) * (this.now - time) / SPAN;
    const y = (value) => bottom - (bottom - top) * (scale(value) - low) / (high - low);

    this.image.replaceChildren();
    this.image.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.drawGrid(ticks, x, y);
    lines.forEach((points, index) => this.drawLine(points, index, x, y));
    this.label(lines);
  }

  drawGrid(ticks, x, y) {
    const [left, right, bottom] = [x(this.now - SPAN), x(this.now), y(ticks[0])];

    for (const tick of ticks) {
      svg("line", { class: "grid", x1: left, x2: right, y1: y(tick), y2: y(tick) }, this.image);
      svg("text", { x: left, y: y(tick), dx: "-0.5em", dy: "0.35em", "text-anchor": "end" }, this.image)
        .textContent = this.formatTick(tick);
    }
    for (const minutes of [15, 10, 5, 0]) {
      const anchor = { 15: "start", 0: "end" }[minutes] ?? "middle";
      svg("text", { x: x(this.now - minutes * 60000), y: bottom, dy: "1.5em", "text-anchor": anchor }, this.image)
        .textContent = minutes === 0 ? this.end : `−${minutes} min`;
    }
  }

  drawLine(points, index, x, y) {
    let path = "";
    let open = false;

    for (const [time, value] of points) {
      const seen = value !== null && time >= this.now - SPAN;
      if (seen)
        path += `${open ? "L" : "M"}${x(time).toFixed(1)} ${y(value).toFixed(1)}`;
      open = seen;
    }
    svg("path", { class: `series series-${index + 1}`, d: path, "stroke-linecap": "round" }, this.image);
  }

  // What the lines show now, also for those who do not see them.
  label(lines) {
    const said = this.series.map(([name], index) => {
      const value = lines[index].at(-1)?.[1] ?? null;
      return `${name} ${value === null ? "–" : this.format(value)}`;
    });

    said.forEach((words, index) => {
      this.keys[index].textContent = words;
    });
    this.image.setAttribute("aria-label", `${this.title}: ${said.join(", ")}`);
  }
}
