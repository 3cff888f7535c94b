"""Golden records: no number changes without a word, and a refactor costs one line.

What decides numbers is a component: engine, distribution function, second engine, replay,
mock universe, catalogues, hosts, datasets, summaries and their functions, errors of observed
moments, observed stars and hosts, data vectors, observations as tables, forecasts, flow, its
mixture, ensemble, judgements, sweeps, answers. All other modules are named with the reason why
they decide none (`syntax.NO_NUMBERS`): a module that is neither fails a test.
Each declares `VERSION` beside its code; fingerprints of datasets, summaries, posteriors and
ensembles hold the versions of what decides them, and options, never source. What comes after
a posterior burns none when it changes: a run's document holds those versions. So code that is
rewritten keeps everything, and code that gives other numbers must say so. Three things here
see to that:

- `records/`: what each component gives for a few cases, the prior's corners among them.
- `lock.json`: the version that each record is of, and the syntax hash (without comments,
  docstrings, layout) of each module that a component is made of, found by its imports;
  the values of the constants, fields and defaults that these modules name (numbers, units,
  names, tables, options; no sentences), as Python evaluates them; and the numbers that each
  of their functions computes with, written or named. A threshold may move between two
  recorded numbers unseen. What is written otherwise and has the same value is the same.
  What only comes, or only goes, is left to the records, but for constants.
- The tests: they fail when a hash is another one, when a version is not its record's, and
  when today's numbers are not the record's.

Changed code then takes one of two ways:

    python -m tests.golden same [component ...]   enters new code; refused unless today's
                                                  numbers are the record's, constants the
                                                  lock's, and no number replaces another
    python -m tests.golden remake component ...   after VERSION was raised: makes the record
                                                  anew; refused for changed numbers without

Quantities may come without a new version, and take other names, but none may change or go:
cases that are changed here come beside those that are there.

How equal is equal was measured, on an AMD EPYC with AVX-512: with the engine compiled and
not, for vectors of all widths (ATEN_CPU_CAPABILITY default, avx2, avx512), numpy without
AVX2 and AVX-512, OpenBLAS for Prescott, Haswell and SkylakeX, MKL's compatible code, one
thread and two. The largest differences, and what is allowed:

    what                                          seen       allowed
    double precision, all components              4e-13      1e-6 (records have 7 digits)
    engine, reflex and dispersions [km/s]         1.1e-3     0.01
    the same at the prior's corners [km/s]        1.1e-2     0.1
    engine, stars kept of some 200                1          2
    engine, stars off by more than 0.01 + 1e-4    0.6 %      4 %
    the same at the prior's corners               2.4 %      10 %
    stars as datasets hold them                   as these   1 digit of half precision more
    affine flow, losses and log probabilities     1.9e-6     5e-5
    splines of a set, the same                    6.4e-4     1e-2
    ensemble, losses and predictions              8.8e-7     2e-5
    flow of the prior predictive, the same        2.0e-7     5e-4
    its p-value, by counting simulations          0          0.02

How little is noticed, all measured too: G by 1e-6, the LMC's radius by 1e-4, a disc thicker
by 1 pc, the Coulomb logarithm's softening by 0.6 %, 270 steps of a rewind instead of 275,
and a step share of 0.519 instead of 0.52, by which single stars move the fitted v_x by up
to 0.3 km/s. A learning rate larger by 0.1 % changes log probabilities by 4e-3 (affine) and
0.8 (splines), and the ensemble's predictions by 0.03. Each number in the source of what comes
after a posterior was changed alone, by 1 % or by 1: what no record noticed are words, widths
of columns, limits of what is refused, guards against rounding, and defaults, which a run's
options hold.

"""
