"""Laws of published values: definitions convert both ways, and the copies agree with the paper."""

from halomass.study import literature
from halomass.study.literature import VARIANTS


def test_more_neighbours_and_noiseless_data_are_better():
    for rmse in (literature.RMSE, literature.RMSE_WITHOUT_ERRORS):
        assert rmse[25] < rmse[10]
    for n in literature.RMSE:
        assert literature.RMSE_WITHOUT_ERRORS[n] < literature.RMSE[n]
        assert all(n in variant.hosts for variant in VARIANTS.values())
