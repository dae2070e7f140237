// The board's own program: looks again when the server says that something has changed, and says when it cannot.
// Promises: without it every page works. Never: touches a form that somebody is filling in.
(() => {
  "use strict";
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
  const live = document.getElementById("live");
  if (!live || !window.EventSource) return;
  const banner = document.getElementById("stale");
  const SILENT_MS = 25000;
  const LOOK_EVERY_MS = 60000;
  let heardAt = performance.now();
  let lookedAt = performance.now();
  let wanted = false;
  let looking = false;

  const isBusy = () => live.querySelector("details.act[open]") !== null ||
    (live.contains(document.activeElement) && document.activeElement.matches("input, textarea, select"));

  const openKeys = () => [...live.querySelectorAll("details[open]")].map((one) => one.dataset.key).filter(Boolean);

  async function look() {
    if (looking || isBusy() || document.hidden) return;
    looking = true;
    wanted = false;
    try {
      const answer = await fetch(live.dataset.fragment + location.search, { credentials: "same-origin", redirect: "manual" });
      if (answer.type === "opaqueredirect" || answer.status === 401) { location.reload(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      const html = await answer.text();
      if (isBusy()) { wanted = true; return; }
      const opened = openKeys();
      const focused = live.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      live.innerHTML = html;
      for (const key of opened) {
        const one = live.querySelector(`details[data-key="${CSS.escape(key)}"]`);
        if (one) one.open = true;
      }
      if (focused) live.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
      lookedAt = performance.now();
    } catch {
      wanted = true;
    } finally {
      looking = false;
    }
  }

  function connect() {
    const stream = new EventSource(live.dataset.stream);
    const heard = () => { heardAt = performance.now(); banner.hidden = true; };
    stream.addEventListener("beat", heard);
    stream.addEventListener("change", () => { heard(); wanted = true; look(); });
    stream.addEventListener("error", () => {
      // A stream that was refused does not come back by itself.
      if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 5000);
    });
  }

  connect();
  document.addEventListener("visibilitychange", () => { if (!document.hidden && wanted) look(); });
  setInterval(() => {
    const now = performance.now();
    if (now - heardAt > SILENT_MS) banner.hidden = false;
    if (wanted || now - lookedAt > LOOK_EVERY_MS) look();
  }, 1000);
})();
