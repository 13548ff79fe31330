# SPDX-License-Identifier: GPL-2.0
# What bench/run measured, as SVG: gnuplot -e "data='ratios.tsv'; out='ratios.svg'" plot.gp
# One row a cell: name, then ratio, low and high of each target; "-" where there is none.
set terminal svg size 1400, 900 background rgb "white" font "sans,13"
set output out
set datafile separator "\t"
set datafile missing "-"
set title title
set ylabel "rate / rate of the backing file system, logarithmic"
set logscale y
set yrange [0.005:5]
set grid ytics
set xtics rotate by -50 left nomirror font "mono,11"
set key top right opaque
set bmargin 10
set rmargin 14
set style data histograms
set style histogram errorbars gap 1 lw 1
set style fill solid 0.85 border -1
set arrow from graph 0, first 1 to graph 1, first 1 nohead lw 1.5 dt 2 front
plot for [i = 2 : columns : 3] data using i : i + 1 : i + 2 : xtic(1) title columnheader(i)
