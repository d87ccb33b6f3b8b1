"use strict";
// The part of the scene that a canvas shows, and what moves it: buttons, keys, wheel, one finger or two.

function viewport(canvas, view, changed) {
  const whole = Math.min(canvas.width / view.samples, canvas.height / view.lines); // pixels of the canvas for a sample
  const closest = Math.max(whole, 32);
  const shown = { scale: whole, left: 0, top: 0 };
  const fingers = new Map();
  let moved = false; // since the first finger or button went down

  const clamp = () => {
    shown.scale = Math.max(whole, Math.min(closest, shown.scale));
    // What is narrower than the canvas is in its middle.
    const inside = (start, spare) => (spare < 0 ? spare / 2 : Math.max(0, Math.min(spare, start)));
    shown.left = inside(shown.left, view.samples - canvas.width / shown.scale);
    shown.top = inside(shown.top, view.lines - canvas.height / shown.scale);
    // A finger scrolls the page as long as there is nothing to move in the picture.
    canvas.style.touchAction = shown.scale > whole ? "none" : "pan-x pan-y";
    changed();
  };
  const zoom = (factor, x, y) => {
    const [left, top] = [shown.left + x / shown.scale, shown.top + y / shown.scale];
    shown.scale = Math.max(whole, Math.min(closest, shown.scale * factor));
    shown.left = left - x / shown.scale;
    shown.top = top - y / shown.scale;
    clamp();
  };
  const pan = (x, y) => {
    shown.left -= x / shown.scale;
    shown.top -= y / shown.scale;
    clamp();
  };

  // Where something happened, in pixels of the canvas.
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * canvas.width,
      y: ((event.clientY - box.top) / box.height) * canvas.height,
      screen: [event.clientX, event.clientY],
    };
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    if (!fingers.size) moved = false;
    fingers.set(event.pointerId, at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    // A click is seldom without any movement.
    if (!moved && !others.length && Math.hypot(...now.screen.map((one, n) => one - before.screen[n])) < 5) return;
    moved = true;
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, now);
    if (!others.length) {
      pan(now.x - before.x, now.y - before.y);
    } else if (others.length === 1) {
      const [other] = others;
      const apart = (one) => Math.hypot(one.x - other.x, one.y - other.y) || 1;
      pan((now.x - before.x) / 2, (now.y - before.y) / 2);
      zoom(apart(now) / apart(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
    }
  });
  for (const end of ["pointerup", "pointercancel"])
    canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
  canvas.addEventListener("wheel", (event) => {
    // Without a key a wheel scrolls the page; two fingers on a touchpad come as a wheel with that key.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const { x, y } = at(event);
    zoom(Math.exp(-Math.max(-100, Math.min(100, event.deltaY)) / 150), x, y);
  }, { passive: false });

  clamp();
  return {
    shown,
    isWhole: () => shown.scale <= whole,
    dragged: () => moved,
    toX: (sample) => (sample - shown.left) * shown.scale,
    toY: (line) => (line - shown.top) * shown.scale,
    // Lines and samples that are to be seen.
    range: () => ({
      lines: [Math.max(0, shown.top), Math.min(view.lines, shown.top + canvas.height / shown.scale)],
      samples: [Math.max(0, shown.left), Math.min(view.samples, shown.left + canvas.width / shown.scale)],
    }),
    place: (event) => {
      const { x, y } = at(event);
      return [Math.floor(shown.top + y / shown.scale), Math.floor(shown.left + x / shown.scale)];
    },
    // Around a pixel of the scene where it is seen, otherwise around the middle.
    zoomAround: (factor, line, sample) => {
      const [x, y] = [(sample + 0.5 - shown.left) * shown.scale, (line + 0.5 - shown.top) * shown.scale];
      const seen = x >= 0 && y >= 0 && x <= canvas.width && y <= canvas.height;
      zoom(factor, seen ? x : canvas.width / 2, seen ? y : canvas.height / 2);
    },
    showWhole: () => {
      shown.scale = whole;
      clamp();
    },
    // Move so little that a pixel is seen.
    reveal: (line, sample) => {
      const [x, y] = [(sample + 0.5 - shown.left) * shown.scale, (line + 0.5 - shown.top) * shown.scale];
      const off = (place, length) => (place < 0 ? -place + length / 4 : place > length ? length * 0.75 - place : 0);
      const [across, down] = [off(x, canvas.width), off(y, canvas.height)];
      if (across || down) pan(across, down);
    },
  };
}
