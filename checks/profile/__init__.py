"""What a set of rows looks like, column by column, in counts that add up."""

from checks.profile.binning import (
    Binning,
    CategoryBins,
    NumberBins,
    ProfileError,
    make_binning,
)
from checks.profile.summary import CategoryColumn, NumberColumn, Profile, empty, merge, profile

__all__ = [
    "Binning",
    "CategoryBins",
    "CategoryColumn",
    "NumberBins",
    "NumberColumn",
    "Profile",
    "ProfileError",
    "empty",
    "make_binning",
    "merge",
    "profile",
]
