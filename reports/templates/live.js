// Keeps the page's main part up to date: fetched anew every few seconds, put in place only where it differs.
"use strict";
(() => {
  const kEvery_ms = 3000;
  const main = document.querySelector("main");
  const light = document.getElementById("live");
  let shown = main.innerHTML;
  let is_asking = false;

  function tell(text, is_fresh) {
    light.textContent = text;
    light.className = is_fresh ? "fresh" : "stale";
  }

  // What a reader has set up stays: open details, scrolled boxes; a log at its end stays at its end.
  function keep() {
    const open = new Map();
    for (const one of main.querySelectorAll("details[id]")) open.set(one.id, one.open);
    const scrolled = new Map();
    for (const one of main.querySelectorAll("[id].scroll")) {
      const at_end = one.scrollHeight - one.clientHeight - one.scrollTop < 4;
      scrolled.set(one.id, { left: one.scrollLeft, top: at_end && one.matches("pre") ? Infinity : one.scrollTop });
    }
    return { open, scrolled, focus: name_of(document.activeElement) };
  }

  // What finds an element of the main part again in the next one; null for others.
  function name_of(element) {
    if (!main.contains(element)) return null;
    if (element.matches("summary")) return `#${element.parentElement.id} > summary`;
    return element.matches("a") ? `main a[href="${element.getAttribute("href")}"]` : null;
  }

  function put_back({ open, scrolled, focus }) {
    if (focus) document.querySelector(focus)?.focus({ preventScroll: true });
    for (const [id, is_open] of open) {
      const one = document.getElementById(id);
      if (one) one.open = is_open;
    }
    for (const [id, { left, top }] of scrolled) {
      const one = document.getElementById(id);
      if (!one) continue;
      one.scrollLeft = left;
      one.scrollTop = top === Infinity ? one.scrollHeight : top;
    }
  }

  async function refresh() {
    if (is_asking || document.hidden || !document.getSelection().isCollapsed) return;  // nobody loses what they have marked
    is_asking = true;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status === 503 ? "registry busy" : `answer ${answer.status}`);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("main").innerHTML;
      if (fresh !== shown) {
        const kept = keep();
        main.innerHTML = shown = fresh;
        put_back(kept);
        document.title = page.title;
      }
      tell("live", true);
    } catch (error) {
      tell(error instanceof TypeError ? "expctl serve has ended" : error.message, false);
    } finally {
      is_asking = false;
    }
  }

  for (const log of main.querySelectorAll("pre.scroll")) log.scrollTop = log.scrollHeight;
  tell("live", true);
  setInterval(refresh, kEvery_ms);
  document.addEventListener("visibilitychange", refresh);
})();
