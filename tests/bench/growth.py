"""How time and memory grow with the work: measured, and drawn as SVG without a display."""
import json
import math
import os

import inputs
from measure import Command, Sandbox, Server

PANEL_W, PANEL_H, LEFT, TOP, GAP = 230, 150, 60, 40, 70
ROUNDS = 3


def least(place, command):
    """The least of some runs: what others do on the machine only ever adds."""
    samples = [command.run(place) for _ in range(ROUNDS)]
    return min(sample.cpu_s for sample in samples), min(sample.rss_mib for sample in samples)


def run_of(place, name, pipeline, environment):
    out = place.path("growth")
    return Command(["sh", "-c", f"rm -rf {out} && exec {place.gridlane} run --quiet {place.write(name, pipeline)} --out {out}"],
                   environment)


def steps(place, counts):
    with Server(place) as server:
        return {n: least(place, run_of(place, "steps.yml", inputs.calls(n), server.environment)) for n in counts}


def tests(place, counts):
    found = {}
    place.write("app.apk", "app")
    for n in counts:
        folder = place.path(f"growth-{n}")
        os.makedirs(folder)
        for name, answer in inputs.answers(n).items():
            place.write(os.path.join(folder, name), inputs.text_of(answer))
        with Server(place, folder) as server:
            found[n] = least(place, run_of(place, "tests.yml", inputs.job(every="100ms", install=False), server.environment))
    return found


def lanes(place, counts):
    found = {}
    place.write("app.apk", "app")
    for n in counts:
        scenario = place.write("growth-scenario.yml", inputs.scenario(5, 0.2, n, 1))
        with Sandbox(place, scenario) as sandbox:
            found[n] = least(place, run_of(place, "lanes.yml", inputs.job(n, "1s", install=False), sandbox.environment))
    return found


# ---- drawing ----

def place_of(value, low, high, size):
    return (math.log10(value) - low) / (high - low) * size


def panel(points, x, y, what, unit):
    """One chart, both axes logarithmic: what grows in proportion is a straight line that rises by one a step."""
    values = list(points.values())
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)) + 1e-9)
    right = math.log10(max(points))
    at = [(x + place_of(n, 0, right, PANEL_W), y + PANEL_H - place_of(value, low, high, PANEL_H))
          for n, value in points.items()]
    parts = [f'<rect x="{x}" y="{y}" width="{PANEL_W}" height="{PANEL_H}" fill="none" stroke="#888"/>',
             f'<text x="{x + PANEL_W / 2}" y="{y - 8}" text-anchor="middle">{what}</text>']
    for n, (px, _) in zip(points, at):
        parts.append(f'<text x="{px:.0f}" y="{y + PANEL_H + 16}" text-anchor="middle">{n:,}</text>')
    for power in range(low, high + 1):
        py = y + PANEL_H - (power - low) / (high - low) * PANEL_H
        parts.append(f'<line x1="{x}" x2="{x + PANEL_W}" y1="{py:.0f}" y2="{py:.0f}" stroke="#ddd"/>')
        parts.append(f'<text x="{x - 6}" y="{py + 4:.0f}" text-anchor="end">{10.0 ** power:g} {unit}</text>')
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in at)
    parts.append(f'<polyline points="{path}" fill="none" stroke="#06c" stroke-width="2"/>')
    parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="#06c"/>' for px, py in at]
    return parts


def svg(series):
    width = LEFT + len(series) * (PANEL_W + GAP)
    height = TOP + 2 * (PANEL_H + GAP)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
             'font-size="11">', f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for column, (name, found) in enumerate(series.items()):
        x = LEFT + column * (PANEL_W + GAP)
        parts += panel({n: cost[0] for n, cost in found.items()}, x, TOP, f"CPU time by {name}", "s")
        parts += panel({n: cost[1] for n, cost in found.items()}, x, TOP + PANEL_H + GAP, f"memory by {name}", "MiB")
    return "\n".join(parts + ["</svg>", ""])


def draw(place, path):
    powers = [1, 10, 100, 1000]  # a pipeline has at most 1,000 steps; each start asks for all builds before it
    series = {"steps": steps(place, powers), "lanes": lanes(place, powers),
              "tests": tests(place, powers + ([] if place.is_quick else [10000]))}
    print(json.dumps({name: {n: [round(cost, 3) for cost in costs] for n, costs in found.items()}
                      for name, found in series.items()}))
    with open(path, "w", encoding="utf-8") as file:
        file.write(svg(series))
