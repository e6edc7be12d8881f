"""The names of drift methods, for config and labels and for people. A new one is its module and a line here.

The daemon reads them, so nothing numeric is imported.
"""

from __future__ import annotations

METHOD_NAMES = {
    "psi": "PSI",
    "jensenshannon": "Jensen–Shannon distance",
    "wasserstein": "Wasserstein distance",
    "ks": "Kolmogorov–Smirnov",
    "chisquare": "chi-square",
    "z": "z",
    "total_variation": "total variation",
    "hellinger": "Hellinger distance",
    "l_infinity": "L-infinity distance",
}
"""Each name is also the module's."""
PRESET_NAMES = {
    "kl_div": "Kullback–Leibler divergence",
    "jensen_shannon": "Jensen–Shannon distance",
    "kolmogorov_smirnov": "Kolmogorov–Smirnov",
    "chi2": "chi-square",
}
"""Those that presets alone have."""
LABELS = METHOD_NAMES | PRESET_NAMES
