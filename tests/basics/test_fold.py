from ckptmap.basics.fold import fold, layer


def labels(*names: str) -> list[str]:
    return [group.label for group in fold(names)]


def test_consecutive_numbers_fold_to_a_range() -> None:
    assert labels("Head_0/kernel", "Head_1/kernel", "Head_2/kernel") == ["Head_{0..2}/kernel"]


def test_a_single_name_is_shown_as_it_is() -> None:
    assert labels("block_03/kernel") == ["block_03/kernel"]


def test_gaps_are_listed() -> None:
    assert labels("a_0", "a_2", "a_5") == ["a_{0,2,5}"]


def test_long_gaps_are_cut() -> None:
    assert labels(*(f"a_{2 * n}" for n in range(9))) == ["a_{0,2,4,6,8,10,…}"]


def test_each_number_that_varies_gets_its_own_range() -> None:
    assert labels("l_1/c_3x3_0", "l_1/c_3x3_1") == ["l_1/c_3x3_{0..1}"]


def test_groups_keep_the_order_and_all_names() -> None:
    groups = fold(["b_1/w", "a/w", "b_0/w"])
    assert [(group.label, group.names) for group in groups] == [("b_{0..1}/w", ("b_1/w", "b_0/w")), ("a/w", ("a/w",))]


def test_layer_is_the_name_without_its_leaf() -> None:
    assert layer("Conv1/kernel") == "Conv1"
    assert layer("global_step") == "global_step"


def test_numbers_far_apart_cost_nothing() -> None:
    assert [group.label for group in fold(["a0", "a999999999999999999"])] == ["a{0,999999999999999999}"]
    assert [len(group.names) for group in fold([f"a{'9' * 5000}", f"a{'8' * 5000}"])] == [2]


def test_a_mark_in_a_name_is_no_number() -> None:
    assert [group.label for group in fold(["a#", "a1", "a2"])] == ["a#", "a{1..2}"]
