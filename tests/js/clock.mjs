/** A clock that the test moves; the timers of the page go by it. */
export class Clock {
  constructor() {
    this.time = 0;
    this.timers = [];
  }

  /** @param {import("node:test").TestContext} t  the clock stands in for the real one until this test ends */
  install(t) {
    const { setTimeout, clearTimeout, performance } = globalThis;
    t.after(() => {
      this.pass(1000); // what is under way comes to its end
      Object.assign(globalThis, { setTimeout, clearTimeout });
    });
    t.mock.method(performance, "now", () => this.time);
    globalThis.setTimeout = (run, delay = 0) => {
      const timer = { run, at: this.time + delay };
      this.timers.push(timer);
      return timer;
    };
    globalThis.clearTimeout = (timer) => { this.timers = this.timers.filter((other) => other !== timer); };
    return this;
  }

  /** Let time pass; what is due runs in order of time, and of setting where that is the same. */
  pass(duration) {
    const end = this.time + duration;
    for (;;) {
      const next = this.timers.reduce((first, timer) => (timer.at <= end && !(first?.at <= timer.at) ? timer : first), null);
      if (!next) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.time = Math.max(this.time, next.at);
      next.run();
    }
    this.time = end;
  }
}

/** Random numbers in [0, 1) that are the same at every run (mulberry32). */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}
