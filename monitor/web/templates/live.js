(() => {
  const seconds = Number(document.body.dataset.every);
  const status = document.getElementById("live");
  async function refresh() {
    if (document.hidden) return;
    try {
      const reply = await fetch(location.pathname + location.search, { headers: { "X-Part": "1" } });
      if (!reply.ok) throw new Error(reply.status);
      const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
      for (const old of document.querySelectorAll("[data-live]")) {
        const now = fresh.getElementById(old.id);
        if (now && now.innerHTML !== old.innerHTML && !old.contains(document.activeElement)) old.innerHTML = now.innerHTML;
      }
      document.title = fresh.title;
      document.getElementById("icon").href = fresh.getElementById("icon").href;
      status.textContent = "";
    } catch (error) {
      status.textContent = "Watchkeeper does not answer; this is what was known before.";
    }
  }
  setInterval(refresh, seconds * 1000);
  document.addEventListener("visibilitychange", refresh);
})();
