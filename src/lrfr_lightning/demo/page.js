"use strict";
// Text reaches the page by textContent alone, so that no name of a file or model is markup.

const byId = (id) => document.getElementById(id);
const slider = byId("slider");
const both = byId("both");

// every side up to 30 px, then steps of 5 %: what matters lies at the low end
const SIDES = [7];
while (SIDES.at(-1) < 112) {
  SIDES.push(Math.min(112, Math.max(SIDES.at(-1) + 1, Math.round(SIDES.at(-1) * 1.05))));
}
SIDES.reverse();
const STOPS = [112, 56, 28, 14, 7];

const DECISIONS = {
  same: "✓ same person",
  different: "✗ different people",
  undecided: "not decided",
};

let setting;
const chosen = {};

const make = (name, text = "", className = "") => {
  const element = document.createElement(name);
  element.textContent = text;
  element.className = className;
  return element;
};

const show = (place, message) => {
  place.textContent = message;
  place.hidden = !message;
};

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("No answer: is lrfr demo still running?");
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

// One request at a time; what was moved meanwhile is asked for next, and only the latest of it.
let busy = false;
let stale = false;

async function refresh() {
  stale = true;
  if (busy) return;
  busy = true;
  while (stale) {
    stale = false;
    try {
      const answer = await ask(`/compare?${question()}`);
      show(byId("fault"), "");
      display(answer);
    } catch (error) {
      show(byId("fault"), error.message);
      byId("answers").replaceChildren();
    }
  }
  busy = false;
}

function question() {
  const side = SIDES[slider.value];
  return new URLSearchParams({
    reference: chosen.reference,
    reference_resolution: both.checked ? side : 112,
    probe: chosen.probe,
    probe_resolution: side,
  });
}

function display(answer) {
  displayFace(byId("reference"), answer.faces[0]);
  displayFace(byId("probe"), answer.faces[1]);
  byId("answers").replaceChildren(...answer.models.map(row));
  byId("spoken").textContent = answer.models
    .map((own) => `${own.model}: similarity ${own.score.toFixed(2)}, ${own.decision}`)
    .join("; ");
}

function displayFace(section, face) {
  const px = `${face.resolution}x${face.resolution} px`;
  const [small, seen] = section.querySelectorAll("figure");
  section.querySelector(".name").textContent = `${face.name}, ${face.own}x${face.own} px`;
  small.firstChild.src = face.small;
  small.firstChild.alt = `The face at ${px}`;
  small.lastChild.textContent = `${px}: what is left of it`;
  seen.firstChild.src = face.seen;
  seen.firstChild.alt = `The face at ${px}, brought back to 112 px`;
  seen.lastChild.textContent = "back at 112x112 px: what a network sees";
}

function row(own, number) {
  const { calibrated } = setting.models[number];
  const line = make("tr");
  const name = make("th", own.model);
  name.scope = "row";
  const picture = make("td", "", "wide");
  picture.append(scale(own));
  const rate = make("td", calibrated ? `FAR ${calibrated.far}` : "–");
  if (own.far !== null) {
    rate.append(make("br"), make("small", `would just pass at ${Number(own.far.toPrecision(2))}`));
  }
  line.append(
    name,
    make("td", own.score.toFixed(3), "score"),
    picture,
    make("td", DECISIONS[own.decision], own.decision),
    make("td", own.threshold === null ? "none" : own.threshold.toFixed(3)),
    rate,
  );
  return line;
}

// A bar from 0 to the score and a mark at the threshold, on a scale of -1 to 1.
function scale(own) {
  const percent = (value) => 50 + 50 * Math.max(-1, Math.min(1, value));
  const whole = make("div", "", "scale");
  whole.setAttribute("aria-hidden", "true");
  const bar = make("span", "", "bar");
  bar.style.left = `${Math.min(50, percent(own.score))}%`;
  bar.style.width = `${Math.abs(percent(own.score) - 50)}%`;
  whole.append(bar);
  if (own.threshold !== null) {
    const mark = make("span", "", "mark");
    mark.style.left = `${percent(own.threshold)}%`;
    whole.append(mark);
  }
  return whole;
}

function move() {
  const px = `${SIDES[slider.value]} px`;
  byId("resolution").textContent = px;
  slider.setAttribute("aria-valuetext", px);
  refresh();
}

function choose(section, photograph) {
  chosen[section.id] = photograph;
  show(section.querySelector(".error"), "");
  for (const button of section.querySelectorAll("fieldset button")) {
    button.setAttribute("aria-pressed", button.value === photograph);
  }
  if (chosen.reference && chosen.probe) refresh();
}

const latest = {};

async function upload(section, file) {
  const turn = (latest[section.id] = Symbol("upload"));
  const place = section.querySelector(".error");
  try {
    if (file.size > setting.max_bytes) {
      const most = setting.max_bytes / 2 ** 20;
      throw new Error(`${file.name}: expected a photograph of at most ${most} MB`);
    }
    const path = `/photograph?${new URLSearchParams({ name: file.name })}`;
    const answer = await ask(path, { method: "POST", body: file });
    if (turn === latest[section.id]) choose(section, answer.photograph);
  } catch (error) {
    if (turn === latest[section.id]) show(place, error.message);
  }
}

function furnish(section) {
  section.append(byId("side").content.cloneNode(true));
  const input = section.querySelector("input");
  input.setAttribute("aria-label", `Choose a photograph as ${section.id}`);
  input.addEventListener("change", () => {
    if (input.files.length) upload(section, input.files[0]);
    input.value = "";
  });
  for (const face of setting.faces) {
    const button = make("button");
    button.type = "button";
    button.value = face.photograph;
    button.title = face.name;
    const picture = make("img");
    picture.src = face.picture;
    picture.alt = face.name;
    button.append(picture);
    button.addEventListener("click", () => {
      latest[section.id] = null;
      choose(section, face.photograph);
    });
    section.querySelector("fieldset").append(button);
  }
  section.addEventListener("dragover", () => section.classList.add("over"));
  section.addEventListener("dragleave", () => section.classList.remove("over"));
  section.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer.files;
    if (file) upload(section, file);
  });
}

function note() {
  byId("notes").replaceChildren(...notes().map((text) => make("li", text)));
}

function notes() {
  if (setting.floor) {
    return [
      "No model was given: raw pixels are compared, which tells scene and colour rather than the person, and decides nothing.",
      "lrfr demo --model FILE --thresholds FILE compares with your models, at their calibrated thresholds.",
    ];
  }
  return setting.models.map(({ model, calibrated }) =>
    calibrated
      ? `${model}: thresholds calibrated on ${calibrated.people} people of ${calibrated.faces}.`
      : `${model}: no calibrated thresholds, so that nothing is decided; lrfr calibrate makes them.`,
  );
}

async function begin() {
  // a file that misses both places must not replace the page
  for (const event of ["dragover", "drop"]) {
    document.addEventListener(event, (happening) => {
      happening.preventDefault();
      document.querySelectorAll(".side").forEach((side) => {
        if (event === "drop" || !side.contains(happening.target)) side.classList.remove("over");
      });
    });
  }
  slider.max = SIDES.length - 1;
  slider.value = SIDES.indexOf(14);
  for (const px of STOPS) {
    const button = make("button", `${px} px`);
    button.type = "button";
    button.addEventListener("click", () => {
      slider.value = SIDES.indexOf(px);
      move();
    });
    byId("stops").append(button);
  }
  try {
    setting = await ask("/setting");
  } catch (error) {
    show(byId("fault"), error.message);
    return;
  }
  note();
  const sections = [byId("reference"), byId("probe")];
  sections.forEach(furnish);
  sections.forEach((section, number) => choose(section, setting.faces[number].photograph));
  slider.addEventListener("input", move);
  both.addEventListener("change", refresh);
  move();
}

begin();
