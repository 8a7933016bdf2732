// What htmx does not do: fresh moments, copying digests, the panel of one step, a word when the stream is lost.
// Everything here only spares reloads: without it each page still says and does the same.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  // Moments. The server wrote them; this keeps them fresh. Server and browser may disagree about the time, so the
  // difference is taken from the page's own date.
  const ago = (ms) => {
    if (ms < 5000) return "just now";
    if (ms < 60000) return `${Math.floor(ms / 1000)} s ago`;
    if (ms < 3600000) return `${Math.floor(ms / 60000)} min ago`;
    if (ms < 172800000) return `${Math.floor(ms / 3600000)} h ago`;
    return `${Math.floor(ms / 86400000)} days ago`;
  };
  const took = (ms) => {
    if (ms < 1000) return `${ms} ms`;
    if (ms < 10000) return `${Math.floor(ms / 1000)}.${Math.floor((ms % 1000) / 100)} s`;
    if (ms < 60000) return `${Math.floor(ms / 1000)} s`;
    if (ms < 3600000) return `${Math.floor(ms / 60000)} min ${Math.floor(ms / 1000) % 60} s`;
    return `${Math.floor(ms / 3600000)} h ${Math.floor(ms / 60000) % 60} min`;
  };
  const skew = Number(root.dataset.now || Date.now()) - Date.now();
  const refresh = () => {
    const now = Date.now() + skew;
    for (const at of document.querySelectorAll("[data-ago]")) {
      const words = ago(now - Number(at.dataset.ago));
      if (at.textContent !== words) at.textContent = words;
    }
    for (const at of document.querySelectorAll("[data-since]")) {
      const words = took(Math.max(0, now - Number(at.dataset.since)));
      if (at.textContent !== words) at.textContent = words;
    }
  };
  setInterval(() => { if (!document.hidden) refresh(); }, 1000);

  // Clicks: copy a digest, close the panel.
  const slot = () => document.getElementById("step-slot");
  const mark = () => {
    const key = slot()?.firstElementChild?.dataset.key;
    for (const cell of document.querySelectorAll(".cell")) {
      if (cell.dataset.key === key) cell.setAttribute("aria-current", "true");
      else cell.removeAttribute("aria-current");
    }
  };
  const close = () => {
    const panel = slot()?.firstElementChild;
    if (!panel) return;
    const cell = document.getElementById(`c-${panel.dataset.key}`);
    slot().replaceChildren();
    history.replaceState(history.state, "", location.pathname);
    mark();
    cell?.focus();
  };
  document.addEventListener("click", (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      navigator.clipboard?.writeText(copy.dataset.copy).then(() => {
        copy.classList.add("copied");
        setTimeout(() => copy.classList.remove("copied"), 1200);
      });
    }
    if (event.target.closest("[data-close]")) {
      event.preventDefault();
      close();
    }
    for (const menu of document.querySelectorAll("details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  // Keys: Escape closes, arrows walk through the grid.
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const menu = document.querySelector("details[data-menu][open], details.cancel[open]");
      if (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
      } else if (!event.target.matches("input, textarea, select")) close();
      return;
    }
    const move = steps[event.key];
    const cell = event.target.closest?.(".cell");
    if (!move || !cell || event.altKey || event.ctrlKey || event.metaKey) return;
    const row = cell.closest("tr");
    const rows = [...row.closest("table").querySelectorAll("tr:has(.cell)")];
    const column = [...row.querySelectorAll(".cell")].indexOf(cell) + move[1];
    const next = rows[rows.indexOf(row) + move[0]]?.querySelectorAll(".cell")[column];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  });

  // The panel: focus its title when it opens, keep its output at the end, keep the cell marked.
  let shown = slot()?.firstElementChild?.dataset.key;
  const settle = () => {
    const panel = slot()?.firstElementChild;
    if (panel && panel.dataset.key !== shown) {
      shown = panel.dataset.key;
      panel.querySelector("h2")?.focus({ preventScroll: false });
    } else if (!panel) shown = undefined;
    for (const output of document.querySelectorAll("[data-tail]")) {
      if (!output.dataset.read) output.scrollTop = output.scrollHeight;
      output.onscroll ??= () => {
        const atEnd = output.scrollTop + output.clientHeight > output.scrollHeight - 8;
        if (atEnd) delete output.dataset.read;
        else output.dataset.read = "1";
      };
    }
    mark();
    refresh();
  };
  document.addEventListener("htmx:after:swap", settle);
  settle();

  // The stream of a run: say when it is lost, and when the run is over reload once for the final page.
  const live = document.getElementById("live");
  const say = (word, away) => {
    if (!live) return;
    live.classList.toggle("away", away);
    live.querySelector(".live-word").textContent = word;
  };
  document.addEventListener("htmx:sse:after:connection", () => say("live", false));
  document.addEventListener("htmx:sse:error", () => say("reconnecting", true));
  document.addEventListener("htmx:sse:close", (event) => {
    if (event.detail?.reason === "message") say("finished", false);
    else say("not live: reload to see more", true);
  });
})();
