"""What differs is said shortly, and never so shortly that it looks alike."""

from monitoring.differences import changed, json_changes


def test_what_is_equal_is_not_mentioned() -> None:
    assert changed("git commit", "a" * 40, "a" * 40) == []
    assert json_changes("policy", {"a": [1, 2]}, {"a": [1, 2]}) == []


def test_digests_are_cut_but_local_changes_stay_visible() -> None:
    (found,) = changed("git commit", "a" * 40, "b" * 40 + "-dirty")
    assert found.sentence == f"git commit: {'a' * 12} as recorded, {'b' * 12}-dirty now"


def test_digests_that_begin_alike_are_shown_whole() -> None:
    (found,) = changed("digest", "a" * 64, "a" * 63 + "b")
    assert (found.recorded, found.now) == ("a" * 64, "a" * 63 + "b")


def test_a_commit_with_and_without_local_changes_is_told_apart() -> None:
    (found,) = changed("git commit", "a" * 40, "a" * 40 + "-dirty")
    assert (found.recorded, found.now) == ("a" * 12, "a" * 12 + "-dirty")


def test_leaves_are_named_by_their_path_and_many_are_counted() -> None:
    before = {"recipe": {"seed": 3, "features": ["a", "b"], "gone": 1}, "values": [1, 2, 3, 4]}
    after = {"recipe": {"seed": 4, "features": ["a"]}, "values": [1, 5, 6, 7]}
    assert [difference.sentence for difference in json_changes("bundle", before, after)] == [
        "bundle.recipe.features: 2 values as recorded, 1 values now",
        "bundle.recipe.gone: 1 as recorded, absent now",
        "bundle.recipe.seed: 3 as recorded, 4 now",
        "bundle, elsewhere: 3 more values as recorded, other ones now",
    ]
