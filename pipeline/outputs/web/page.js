// The parts of report.html that move: the preview of the slices and the plot of changes. The page says everything without them.
(() => {
  "use strict";
  const element = (id) => document.getElementById(id);
  const data = JSON.parse(element("report-data").textContent);

  // The preview: two time points side by side, linked where the middle of the same lesion lies at 0, 0, 0 in both.
  const panes = [];
  const shown = (pane) => data.previews[pane.choice.selectedIndex];
  const linked = () => element("linked").checked && shown(panes[0]).middle === shown(panes[1]).middle;
  function link() {
    panes.forEach((pane, i) => pane.view.broadcastTo(linked() ? [panes[1 - i].view] : [], { crosshair: true, "3d": true }));
  }
  // Both panes at one scale, so that what looks larger is larger: the one that could be drawn larger is drawn as the other.
  function scale() {
    const largest = panes.map((pane) => {
      const [x, y, z] = pane.view.volumes[0].dimsRAS.slice(1, 4).map((n, axis) => n * pane.view.volumes[0].pixDimsRAS[axis + 1]);
      return Math.min(pane.view.canvas.clientWidth / (x + y), pane.view.canvas.clientHeight / (y + z));  // two by two: coronal and sagittal above axial
    });
    panes.forEach((pane, i) => {
      pane.view.scene.pan2Dxyzmm = [0, 0, 0, Math.min(...largest) / largest[i]];
      pane.view.drawScene();
    });
  }
  async function show(pane) {
    const number = pane.choice.selectedIndex;
    while (pane.view.volumes.length) pane.view.removeVolumeByIndex(0);
    const volume = async (name, more) => niivue.NVImage.loadFromBase64({ base64: element(name + "-" + number).textContent, name: name + ".nii.gz", ...more });
    pane.view.addVolume(await volume("ct", { colormap: "gray", cal_min: 0, cal_max: 255 }));
    pane.view.addVolume(await volume("mask", { colormap: "warm", opacity: element("masks-seen").checked ? 0.35 : 0, cal_min: 0, cal_max: 1 }));
    pane.view.scene.crosshairPos = pane.view.mm2frac([0, 0, 0]);
    pane.view.updateGLVolume();
    place(pane, [0, 0, 0]);
    if (panes.every((one) => one.view.volumes.length)) scale();
    link();
  }
  function place(pane, mm) {
    const side = (value, plus, minus) => Math.abs(value).toFixed(1) + " mm " + (value < 0 ? minus : plus);
    pane.place.textContent = side(mm[0], "R", "L") + ", " + side(mm[1], "A", "P") + ", " + side(mm[2], "H", "F") + " of the middle of lesion " + shown(pane).middle + (linked() || !element("linked").checked ? "" : "; not linked: the other pane has another lesion in the middle");
    pane.place.dataset.mm = mm.slice(0, 3).map((v) => v.toFixed(2)).join(" ");
  }
  async function open_viewer() {
    const room = element("viewer");
    for (const name of ["left", "right"]) {
      const box = room.querySelector("[data-pane=" + name + "]");
      const view = new niivue.Niivue({ backColor: [0, 0, 0, 1], isRadiologicalConvention: true, sagittalNoseLeft: true, isResizeCanvas: true, crosshairColor: [0.337, 0.706, 0.914, 1], crosshairWidthUnit: "mm", crosshairWidth: 1, crosshairGap: 12, multiplanarLayout: 2, multiplanarShowRender: 0, loadingText: "", logLevel: "error" });
      const pane = { view, choice: box.querySelector("select"), place: box.querySelector("output") };
      panes.push(pane);
      await view.attachToCanvas(box.querySelector("canvas"));
      view.setSliceType(view.sliceTypeMultiplanar);
      pane.choice.addEventListener("change", () => show(pane));
    }
    panes[0].choice.selectedIndex = Math.max(0, data.previews.findIndex((p) => p.timepoint === data.baseline));
    panes[1].choice.selectedIndex = data.previews.length - 1;
    for (const pane of panes) {
      pane.view.onLocationChange = (where) => {
        place(pane, where.mm);
        for (const other of panes) if (other !== pane && linked()) place(other, where.mm);
      };
      pane.view.gl.canvas.addEventListener("keydown", (event) => {
        const step = { ArrowUp: 1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key];
        if (!step) return;
        event.preventDefault();
        pane.view.moveCrosshairInVox(0, 0, step);
      });
      await show(pane);
    }
    element("linked").addEventListener("change", link);
    element("masks-seen").addEventListener("change", () => panes.forEach((pane) => pane.view.setOpacity(1, element("masks-seen").checked ? 0.35 : 0)));
    room.dataset.state = "ready";
  }
  function refuse(why) {
    element("viewer").dataset.state = "none";
    element("viewer-note").textContent = "No preview here: " + why + ". The pictures of each lesion stand in for it.";
  }
  if (element("viewer")) {
    const open = async () => {
      if (!document.createElement("canvas").getContext("webgl2")) return refuse("this browser has no WebGL 2");
      try { await open_viewer(); } catch (error) { refuse(error.message); }
    };
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      open();
    }, { rootMargin: "200px" });
    seen.observe(element("viewer"));
  }

  // Change from the baseline of each period, one line a criterion; a legend entry hides and shows its line.
  const room = element("changes");
  if (room && data.series.length) {
    const days = [...new Set(data.series.flatMap((s) => s.points.map((p) => p.day)))].sort((a, b) => a - b);
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const dashes = [[], [6, 4], [2, 3], [10, 4, 2, 4], [1, 4]];
    const highest = 300;  // beyond it a line flattens all others: 22 cm after 2 cm are +1000 %, and of volume +100,000 %
    const lines = data.series.map((s, i) => ({ label: s.label, show: s.points.every((p) => p.change <= highest), stroke: colour("--m" + (i % 5)), dash: dashes[(i + Math.floor(i / 5)) % 5], width: 2, spanGaps: true, points: { show: true, size: 7, fill: colour("--m" + (i % 5)) }, value: (_, v) => (v === null ? "-" : (v > 0 ? "+" : "") + v.toFixed(1) + " %") }));
    const axis = (label) => ({ label, stroke: colour("--ink"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } });
    const plot = new uPlot({
      width: Math.max(320, room.clientWidth), height: 360, scales: { x: { time: false } },
      series: [{ label: "Day", value: (_, v) => (v === null ? "-" : String(v)) }, ...lines], axes: [axis("days since the baseline"), { ...axis("change from baseline, %"), size: 80 }],
    }, [days, ...data.series.map((s) => days.map((day) => { const at = s.points.find((p) => p.day === day); return at ? at.change : null; }))], room);
    window.retromass_plot = plot;
    addEventListener("resize", () => plot.setSize({ width: Math.max(320, room.clientWidth), height: 360 }));
    room.dataset.state = "ready";
  }
})();
