// The form of a review in report.html: what a reader decides becomes a small file, which `retromass review apply` reads. Needs nothing else of the page.
(() => {
  "use strict";
  const room = document.getElementById("review");
  const of = JSON.parse(document.getElementById("review-data").textContent);
  const said = document.getElementById("review-said");
  const reader = document.getElementById("reader");
  room.hidden = false;
  room.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const rows = [...room.querySelectorAll("tr[data-timepoint]")].map((row) => ({
      timepoint: row.dataset.timepoint,
      lesion: row.dataset.lesion,
      verdict: row.querySelector("[data-verdict]").value,
      comment: row.querySelector("[data-comment]").value.trim(),
    }));
    const undecided = rows.find((row) => row.comment && !row.verdict);
    const name = reader.value.trim();
    if (!name) { said.textContent = "Who decides? Enter a reader."; reader.focus(); return; }
    if (undecided) { said.textContent = undecided.timepoint + ", lesion " + undecided.lesion + ": a comment needs a verdict."; return; }
    const reviews = rows.filter((row) => row.verdict);
    if (!reviews.length) { said.textContent = "Nothing is decided yet."; return; }
    const review = { schema: "retromass/review/1", case: of.case, result: of.result, reader: name, time: new Date().toISOString().slice(0, 19) + "Z", reviews };
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(review, null, 1) + "\n"], { type: "application/json" }));
    link.download = "review-" + of.case.replace(/[^A-Za-z0-9._-]/g, "_") + "-" + of.result.slice(0, 8) + ".json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    said.textContent = reviews.length + " of " + rows.length + " decided, saved as " + link.download + ".";
  });
})();
