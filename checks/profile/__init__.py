"""What a set of rows looks like, column by column, in counts that add up."""

from checks.profile.binning import (
    Binning,
    CategoryBins,
    NumberBins,
    ProfileError,
    make_binning,
)
from checks.profile.categories import CategoryColumn
from checks.profile.numeric import NumberColumn
from checks.profile.summary import Profile, empty, merge, profile

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
