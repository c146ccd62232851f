# SPDX-License-Identifier: MIT
"""Figures as a table and as a plot."""

import dataclasses
import json
import shutil
import statistics
import subprocess

COLUMNS = ('jobs/s', 'cpu µs', 'peak MB', 'start ms', 'p50 ms', 'p99 ms', 'max ms', 'p50 x', 'p99 x',
           'cpu x', 'stolen %')

PLOT = """
set terminal svg size 1000,{height} font "sans,12"
set output "{out}/plot.svg"
set datafile separator "\\t"
set style fill solid 0.8
set multiplot layout 1,2 title "{title}"
set yrange [{rows}:-1]
set grid x
set lmargin 42
set xlabel "CPU time of a job in µs (less is better)"
plot "{out}/plot.tsv" using ($2/2):0:($2/2):(0.35):ytic(1) with boxxyerror notitle
set lmargin 6
unset ytics
set xlabel "jobs a second (more is better)"
plot "{out}/plot.tsv" using ($3/2):0:($3/2):(0.35) with boxxyerror notitle
"""


def describe_noise(times):
    """How much the same piece of work varies here."""
    times.sort()
    return (f'the same work took {times[0] * 1e3:.1f} ms at best, '
            f'{100 * (statistics.median(times) / times[0] - 1):.0f} % more in the median, '
            f'{100 * (times[-1] / times[0] - 1):.0f} % more at worst')


def without_jobs(scenario):
    """The same with an empty queue."""
    return dataclasses.replace(scenario, jobs=0)


def turn(runs):
    """From dictionaries of one run each to one of all."""
    return {name: [run[name] for run in runs] for name in runs[0]}.items()


def format_line(name, figures):
    """One line of the table."""
    cells = []
    for column in COLUMNS:
        value = figures.get(column)
        cells.append('' if value is None else f'{value:.0f}' if value >= 100 else f'{value:.2f}')
    return f'{name:54}' + ''.join(f'{cell:>10}' for cell in cells)


def print_line(name, figures):
    """Shows a line as soon as it is known."""
    print(format_line(name, figures), flush=True)


def format_all(results):
    """The whole table."""
    lines = [f'Medians of {results["runs"]} runs. Noise: {results["noise"]}.', '',
             f'{"":54}' + ''.join(f'{column:>10}' for column in COLUMNS)]
    lines += [format_line(name, figures) for name, figures in results['scenarios'].items()]
    lines += [format_line(name, {'jobs/s': figures['per_second'], 'cpu µs': figures['cpu_us']})
              for name, figures in results['limits'].items()]
    lines += [f'{name}: {value:.2f}' for name, value in results['others'].items()]
    return '\n'.join(lines)


def print_all(results):
    """Shows everything."""
    print('\n' + format_all(results))


def keep(results, folder):
    """Writes table, figures and plot."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'table.txt').write_text(format_all(results) + '\n', encoding='utf-8')
    (folder / 'figures.json').write_text(json.dumps(results, indent=1), encoding='utf-8')
    rows = [(name, figures['cpu µs'], figures['jobs/s'])
            for name, figures in results['scenarios'].items()]
    (folder / 'plot.tsv').write_text(
        ''.join(f'{name}\t{cpu}\t{rate}\n' for name, cpu, rate in rows), encoding='utf-8')
    script = PLOT.format(out=folder, rows=len(rows), height=150 + 26 * len(rows),
                         title=f'Medians of {results["runs"]} runs')
    if shutil.which('gnuplot') is None:
        print(f'There is no plot in {folder}: gnuplot is missing, '
              '"flatpak-free-container/setup bench" installs it.')
        return
    subprocess.run(['gnuplot'], input=script, text=True, check=True)
