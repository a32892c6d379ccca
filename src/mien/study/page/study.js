"use strict";

// The page keeps nothing: what it shows is what /api/state says, and a choice is marked as kept
// only when the server has it on its disk. So a reload or a crash on either side loses nothing.

const QUESTIONS = [
  ["lips", "Whose lips fit the speech better?"],
  ["expression", "Whose expression fits the description better?"],
  ["overall", "Which face is better overall?"],
];
const CHOICES = [
  ["left", "Left", "Upper"],
  ["equal", "Equal", "Equal"],
  ["right", "Right", "Lower"],
];
const PLAY = "M7 4.5v15l12.5-7.5z";
const PAUSE = "M6 4.5h4.2v15H6zM13.8 4.5H18v15h-4.2z";
const NEAR = 0.04; // seconds apart that nobody sees: a frame
const FAR = 0.3; // seconds apart from which the films are set anew
const RETRY = [500, 1000, 2000, 4000];

const $ = (id) => document.getElementById(id);
let state = null;

// The server.

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

class Refused extends Error {}

/** Ask until the server answers; throw Refused where it says that the request is wrong. */
async function ask(path, body) {
  for (let tries = 0; ; tries++) {
    let response = null;
    try {
      response = await fetch(path, body && {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      if (response.ok) {
        const said = await response.json();
        trouble("");
        return said;
      }
    } catch {
      response = null; // no answer: it is asked again
    }
    if (response && response.status < 500) throw new Refused(await response.text());
    trouble("The connection is lost. Your answers so far are safe; trying again …");
    await wait(RETRY[Math.min(tries, RETRY.length - 1)]);
  }
}

function trouble(text) {
  $("trouble").textContent = text;
  $("trouble").hidden = !text;
}

// What is shown.

async function show(next) {
  state = next;
  for (const phase of ["new", "judging", "done"]) $(phase).hidden = phase !== state.phase;
  if (state.phase === "judging") {
    showPair();
  } else {
    player.load(null);
    $("total").textContent = state.total;
    document.querySelector(`#${state.phase} h1`).focus();
  }
}

function showPair() {
  $("count").textContent = `Pair ${state.place + 1} of ${state.total}`;
  $("progress").value = state.place / state.total;
  $("description").textContent = state.description;
  $("saved").textContent = "";
  $("next-name").textContent = state.place + 1 < state.total ? "Next pair" : "Finish";
  const begun = Object.keys(state.answers).length > 0;
  for (const [question] of QUESTIONS) mark(question, state.answers[question]);
  player.load(state, begun);
  window.scrollTo(0, 0);
  $("count").focus({ preventScroll: true });
  update();
}

function mark(question, choice) {
  for (const input of document.getElementsByName(question)) input.checked = input.value === choice;
}

/** Open the questions once both films were seen, and the way on once all answers are kept. */
function update() {
  const open = player.seen && !moving;
  for (const fieldset of document.querySelectorAll(".question")) fieldset.disabled = !open;
  const kept = QUESTIONS.filter(([question]) => state.answers[question]).length;
  const ready = open && kept === QUESTIONS.length && pending === 0;
  $("next").disabled = !ready;
  $("hint").textContent = moving || ready ? "" : !player.seen
    ? "Watch both films to the end to answer."
    : kept < QUESTIONS.length
      ? `${kept} of ${QUESTIONS.length} answered.`
      : "";
}

function build() {
  QUESTIONS.forEach(([question, text], row) => {
    const part = $("question").content.cloneNode(true);
    part.querySelector("legend").textContent = text;
    CHOICES.forEach(([value, wide, narrow], column) => {
      const choice = $("choice").content.cloneNode(true);
      const key = String(3 * row + column + 1);
      const input = choice.querySelector("input");
      Object.assign(input, { name: question, value, id: `${question}-${value}` });
      input.setAttribute("aria-keyshortcuts", key);
      choice.querySelector(".wide").textContent = wide;
      choice.querySelector(".narrow").textContent = narrow;
      choice.querySelector("kbd").textContent = key;
      input.addEventListener("change", () => save(question, value));
      part.querySelector(".choices").append(choice);
    });
    $("questions").insertBefore(part, $("hint"));
  });
}

// Answers: one after the other, so that the last choice is the one that stays.

let queue = Promise.resolve();
let pending = 0;
let moving = false;

function save(question, choice) {
  const place = state.place;
  pending++;
  $("saved").textContent = "Saving …";
  update();
  queue = queue.then(() => keep(place, question, choice));
}

async function keep(place, question, choice) {
  try {
    await ask("/api/answer", { place, question, choice });
    if (state.place === place && state.phase === "judging") state.answers[question] = choice;
  } catch (error) {
    pending--;
    return refresh(error);
  }
  pending--;
  if (pending === 0) $("saved").textContent = "Saved ✓";
  update();
}

async function next() {
  if ($("next").disabled) return;
  await move("/api/finish", { place: state.place });
}

async function move(path, body) {
  if (moving) return;
  moving = true;
  player.pause();
  try {
    if (state && state.phase === "judging") update();
    const said = await ask(path, body);
    moving = false;
    await show(said);
  } catch (error) {
    moving = false;
    await refresh(error);
  }
}

/** What the page shows is not where the participant is, as after going on in another window. */
async function refresh(error) {
  if (!(error instanceof Refused)) throw error;
  await show(await ask("/api/state"));
  trouble(/full/.test(error.message) ? "The study has all the people it can take. Thank you!" : "");
}

// The two films in step: one gives time and sound, the other follows it.

const player = {
  films: [$("film-left"), $("film-right")],
  starts: [0, 0],
  seen: false,
  playing: false,
  waiting: false, // the leader, for the other one to load

  get leader() {
    return this.films[this.starts[0] > 0 ? 1 : 0];
  },

  load(pair, seen = false) {
    this.pause();
    this.seen = seen;
    this.films.forEach((film, i) => {
      const side = pair && pair[i ? "right" : "left"];
      this.starts[i] = side ? side.start : 0;
      film.removeAttribute("src");
      if (side) film.src = side.film;
      film.load();
    });
    for (const film of this.films) film.muted = film !== this.leader;
    this.draw();
  },

  /** Where a film has to be while the leader is at `time`; its end where it is over. */
  place(film, time) {
    const start = this.starts[this.films.indexOf(film)];
    return Math.min(time + start * film.duration, film.duration);
  },

  async play() {
    if (!this.films.every((film) => film.src)) return;
    const again = this.leader.ended || !this.leader.currentTime;
    this.playing = true;
    this.draw();
    try {
      // Both at once and inside the click: phones allow no play later.
      await Promise.all(this.films.map((film) => film.play()));
    } catch (error) {
      if (this.playing && error.name !== "AbortError") this.fail();
      return;
    }
    if (!this.playing) return;
    const time = again ? 0 : this.leader.currentTime;
    for (const film of this.films) film.currentTime = this.place(film, time);
    requestAnimationFrame(() => this.follow());
  },

  pause() {
    this.playing = this.waiting = false;
    for (const film of this.films) film.pause();
    this.draw();
  },

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  },

  /** In every frame of the screen: keep the other film where the leader is. */
  follow() {
    if (!this.playing) return;
    const leader = this.leader;
    const other = this.films.find((film) => film !== leader);
    if (leader.ended) return this.end();
    const late = this.place(other, leader.currentTime) - other.currentTime;
    const stalled = other.readyState < HTMLMediaElement.HAVE_FUTURE_DATA && !other.ended;
    if (stalled && !other.seeking && late > NEAR) {
      this.waiting = true;
      leader.pause();
    } else if (this.waiting) {
      this.waiting = false;
      leader.play().catch(() => this.pause());
    } else if (leader.paused) {
      return this.pause(); // by a key of the system, or headphones that were pulled out
    }
    if (!other.ended && !other.seeking) {
      if (Math.abs(late) > FAR) other.currentTime = this.place(other, leader.currentTime);
      other.playbackRate = Math.abs(late) > NEAR ? (late > 0 ? 1.1 : 0.9) : 1;
    }
    this.draw();
    requestAnimationFrame(() => this.follow());
  },

  end() {
    this.pause();
    this.seen = true;
    this.draw();
    update();
  },

  fail() {
    this.pause();
    trouble("A film could not be played. Please press Play again, or reload the page.");
  },

  draw() {
    const { currentTime, duration } = this.leader;
    $("line").style.transform = `scaleX(${duration ? currentTime / duration : 0})`;
    $("icon").setAttribute("d", this.playing ? PAUSE : PLAY);
    $("play").classList.toggle("primary", !this.seen);
    $("play-name").textContent = this.playing ? "Pause" : this.seen ? "Play again" : "Play both";
  },
};

// Keys.

function onKey(event) {
  if (!state || state.phase !== "judging" || !$("keys").checked) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const key = event.key.toLowerCase();
  if (key === "p") player.toggle();
  else if (key === "n") next();
  else if (/^[1-9]$/.test(key)) {
    const [question] = QUESTIONS[Math.floor((key - 1) / 3)];
    const [choice] = CHOICES[(key - 1) % 3];
    const input = $(`${question}-${choice}`);
    if (input.matches(":disabled")) return;
    input.focus();
    if (!input.checked) input.click();
  } else return;
  event.preventDefault();
}

build();
$("start").addEventListener("click", () => move("/api/start", {}));
$("leave").addEventListener("click", () => move("/api/leave", {}));
$("play").addEventListener("click", () => player.toggle());
for (const film of player.films) {
  film.addEventListener("click", () => player.toggle());
  film.addEventListener("error", () => { if (film.getAttribute("src")) player.fail(); });
}
$("questions").addEventListener("submit", (event) => {
  event.preventDefault();
  next();
});
document.addEventListener("keydown", onKey);
ask("/api/state").then(show);
