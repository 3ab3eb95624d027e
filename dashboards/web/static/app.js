// Draws the charts of a page and spares a reader some clicks; every page works without it. Colours come from app.css,
// numbers from the server.
"use strict";

const SERIES = 9;
const BAR_HEIGHT = 24;
const drawn = new Map();

// A custom property may be light-dark(…): only the colour of an element says which of the two it is.
function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function dataset(series, index, plan) {
  const ink = colour(`--series-${index % SERIES}`);
  return {
    label: series.name,
    data: series.values,
    shown: series.shown,
    ink,
    borderColor: ink,
    backgroundColor: ink,
    borderWidth: plan.kind === "bar" ? 0 : 2,
    borderRadius: plan.stacked ? 0 : 2,
    maxBarThickness: 56,
    pointRadius: series.values.length > 40 ? 0 : 3,
    tension: 0,
    fill: plan.stacked && plan.kind === "line",
  };
}

// Names too long to stand side by side stand below each other.
function liesDown(plan) {
  return plan.kind === "bar" && plan.named && plan.labels.some((name) => name.length > 12) && plan.labels.length <= 40;
}

function shortened(name, most) {
  return name.length > most ? `${name.slice(0, most - 1)}…` : name;
}

function axes(plan, lying) {
  const ink = colour("--soft"), rule = colour("--rule");
  const numbers = new Intl.NumberFormat(document.documentElement.lang, { notation: "compact", maximumFractionDigits: 1 });
  const most = innerWidth < 600 ? 18 : 28;
  const along = {
    stacked: plan.stacked, grid: { display: false }, border: { color: rule },
    ticks: { color: ink, maxRotation: 0, autoSkip: !lying, autoSkipPadding: 12, callback: (index) => shortened(plan.labels[index] ?? "", most) },
  };
  const up = {
    stacked: plan.stacked, beginAtZero: true, grid: { color: rule }, border: { display: false },
    ticks: { color: ink, precision: plan.percent ? undefined : 0, callback: (value) => numbers.format(value) + (plan.percent ? " %" : "") },
  };
  return lying ? { x: up, y: along } : { x: along, y: up };
}

function legend(chart) {
  return chart.data.datasets.map((one, index) => ({
    text: one.label, fillStyle: one.ink, strokeStyle: one.ink, lineWidth: 0, borderRadius: 3, fontColor: colour("--ink"),
    hidden: !chart.isDatasetVisible(index), datasetIndex: index,
  }));
}

// Between the legend and what is drawn.
const gap = {
  id: "gap",
  beforeInit(chart) {
    const fit = chart.legend.fit;
    chart.legend.fit = function () {
      fit.call(this);
      this.height += 10;
    };
  },
};

function draw(canvas) {
  const plan = JSON.parse(canvas.dataset.chart);
  // A series without a number would only be a name in the legend.
  const full = plan.series.filter((one) => one.values.some((value) => value));
  const series = full.length ? full : plan.series;
  const lying = liesDown(plan);
  if (lying) canvas.parentElement.style.height = `${80 + plan.labels.length * (plan.stacked ? 1 : series.length) * BAR_HEIGHT}px`;
  drawn.get(canvas)?.destroy();
  drawn.set(canvas, new Chart(canvas, {
    type: plan.kind,
    plugins: series.length > 1 ? [gap] : [],
    data: { labels: plan.labels, datasets: series.map((one, index) => dataset(one, index, plan)) },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      indexAxis: lying ? "y" : "x",
      locale: document.documentElement.lang,
      interaction: { mode: "index", intersect: false, axis: lying ? "y" : "x" },
      scales: axes(plan, lying),
      plugins: {
        legend: { display: series.length > 1, align: "start", labels: { generateLabels: legend, boxWidth: 12, boxHeight: 12, useBorderRadius: true } },
        tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${item.dataset.shown[item.dataIndex]}` } },
      },
    },
  }));
}

function drawAll() {
  for (const canvas of drawn.keys()) {
    if (!canvas.isConnected) {
      drawn.get(canvas).destroy();
      drawn.delete(canvas);
    }
  }
  document.querySelectorAll("canvas[data-chart]").forEach((canvas) => drawn.has(canvas) || draw(canvas));
  document.documentElement.dataset.drawn = String(drawn.size);
}

document.addEventListener("DOMContentLoaded", drawAll);
document.addEventListener("htmx:after:swap", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => [...drawn.keys()].forEach(draw));

// What is not filled in, or is as it would be anyway, is not asked: addresses stay short.
document.addEventListener("formdata", (event) => {
  if (event.target.method !== "get") return;
  for (const name of new Set(event.formData.keys())) {
    const usual = event.target.elements.namedItem(name)?.dataset?.usual;
    const filled = event.formData.getAll(name).filter((value) => value !== "" && value !== usual);
    event.formData.delete(name);
    filled.forEach((value) => event.formData.append(name, value));
  }
});

// A filter is asked when it is changed. Enter changes it too, but submits it by itself.
let waiting = 0;
document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (form?.matches(".filters .asking")) waiting = setTimeout(() => form.isConnected && form.requestSubmit());
});
document.addEventListener("submit", () => clearTimeout(waiting), true);

// Filters change the address without a new page: the choice of a view leads back to where the reader is now.
document.addEventListener("submit", (event) => {
  const next = event.target.action?.endsWith("/view") && event.target.elements.namedItem("next");
  if (next) next.value = location.pathname + location.search;
});

// The panel of choices closes as menus do.
function closeChoices(event) {
  const panel = document.querySelector(".choices[open]");
  if (!panel || (event.type === "keydown" ? event.key !== "Escape" : panel.contains(event.target))) return;
  panel.open = false;
  if (event.type === "keydown") panel.querySelector("summary").focus();
}
document.addEventListener("keydown", closeChoices);
document.addEventListener("click", closeChoices);
