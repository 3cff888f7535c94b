// What is wider than its box: it fades where more of it is, and words below say how to see that.

function sayWider(wide) {
  const hint = document.createElement("p");
  hint.className = "sideways";
  hint.textContent = wide.closest("figure")
    ? "Wider than the page: scroll sideways, or press Enlarge."
    : "Wider than the page: scroll sideways.";
  wide.after(hint);
  const look = () => {
    const beyond = wide.scrollWidth - wide.clientWidth;
    // widths are rounded
    hint.hidden = beyond < 2;
    wide.classList.toggle("more-left", beyond >= 2 && wide.scrollLeft > 1);
    wide.classList.toggle("more-right", beyond - wide.scrollLeft >= 2);
  };
  wide.addEventListener("scroll", look, { passive: true });
  new ResizeObserver(look).observe(wide);
  look();
}

document.querySelectorAll("main .wide").forEach(sayWider);
