"""Stores with one fault each, met in Beaker 1.x, and the test that catches it."""

from __future__ import annotations

from typing import NamedTuple

from beaker.protocols import NamespaceManager
from beaker.testing import LeaseSuite, NamespaceManagerSuite, StoreSuite
from tests.kit.sick_records import (
    ConnectsAtOnce,
    CutsLargeRecords,
    CutsTtlToSeconds,
    DropsAll,
    DropsNeighbours,
    ForgetsThePrefix,
    IgnoresCase,
    IgnoresTtl,
    JoinsCarelessly,
    JoinsThePrefix,
    KeepsMarks,
    ListsPrefixes,
    NamesByHash,
    ReplacesWithoutTtl,
    TakesEmptyForMissing,
    TakesMonthsForDates,
    TakesSessionsForCaches,
    TellsNothingForMissing,
    TouchMakes,
    WritesInTwoSteps,
)
from tests.kit.sick_sharing import (
    ChildrenFree,
    ClaimsToBeShared,
    ClaimsToForget,
    ClaimsToList,
    CountsByRemoving,
    DiscardsOnlyWhatIsThere,
    DropKeepsLeases,
    FillsWithoutToken,
    FreesAnybodys,
    IsNotRenewed,
    ListsNothing,
    MistakesLeasesForRecords,
    NeverLapses,
    PurgeBreaksLeases,
    ReadsOnce,
    RenewsWhatHasLapsed,
    ReplacesInTwoSteps,
    SharesItsConnection,
    TellsNamesForIds,
)

__all__ = ["MUTANTS", "Mutant"]


class Mutant(NamedTuple):
    """A sick store, the suite that it is given to, and the test that finds it out."""

    store: type[NamespaceManager]
    caught_by: str
    suite: type[StoreSuite] = NamespaceManagerSuite


MUTANTS = [
    Mutant(JoinsCarelessly, "test_hostile_names_never_share_a_record"),
    Mutant(IgnoresCase, "test_hostile_names_never_share_a_record"),
    Mutant(ListsPrefixes, "test_hostile_keys_are_listed_as_they_were_given"),
    Mutant(ForgetsThePrefix, "test_a_prefix_keeps_applications_apart"),
    Mutant(JoinsThePrefix, "test_no_prefix_runs_into_the_name_behind_it"),
    Mutant(TakesSessionsForCaches, "test_a_session_is_no_cache_of_the_same_name"),
    Mutant(NamesByHash, "test_a_new_process_finds_what_this_one_stored"),
    Mutant(DropsNeighbours, "test_dropping_leaves_neighbours_alone"),
    Mutant(DropsAll, "test_dropping_leaves_neighbours_alone"),
    Mutant(TellsNothingForMissing, "test_an_absent_record_is_none"),
    Mutant(TakesEmptyForMissing, "test_an_empty_record_is_not_an_absent_one"),
    Mutant(CutsLargeRecords, "test_a_large_record_is_kept_whole_or_refused"),
    Mutant(TouchMakes, "test_touching_what_is_absent_makes_nothing"),
    Mutant(KeepsMarks, "test_the_mark_goes_with_its_record"),
    Mutant(WritesInTwoSteps, "test_a_reader_among_threads_sees_whole_records_only"),
    Mutant(ConnectsAtOnce, "test_opening_reaches_for_nothing"),
    Mutant(IgnoresTtl, "test_what_expires_natively_is_forgotten"),
    Mutant(CutsTtlToSeconds, "test_a_record_is_there_before_its_ttl"),
    Mutant(TakesMonthsForDates, "test_a_record_is_there_before_its_ttl"),
    Mutant(ReplacesWithoutTtl, "test_a_shorter_end_comes_sooner"),
    Mutant(ReplacesInTwoSteps, "test_no_update_is_lost_among_threads"),
    Mutant(ReplacesInTwoSteps, "test_no_update_is_lost_among_processes"),
    Mutant(ReplacesInTwoSteps, "test_one_of_many_makes_what_was_absent"),
    Mutant(MistakesLeasesForRecords, "test_who_makes_what_is_absent"),
    Mutant(ReadsOnce, "test_parent_and_children_see_what_the_others_write"),
    Mutant(SharesItsConnection, "test_no_child_reads_what_another_asked_for"),
    Mutant(FillsWithoutToken, "test_a_lease_that_is_not_held_stores_nothing"),
    Mutant(FillsWithoutToken, "test_a_frozen_holder_stores_nothing", LeaseSuite),
    Mutant(DropKeepsLeases, "test_what_began_before_an_invalidation"),
    Mutant(DiscardsOnlyWhatIsThere, "test_what_began_before_an_invalidation"),
    Mutant(PurgeBreaksLeases, "test_a_purge_breaks_no_lease"),
    Mutant(FreesAnybodys, "test_who_was_replaced_frees_nothing", LeaseSuite),
    Mutant(NeverLapses, "test_a_killed_holder_is_replaced", LeaseSuite),
    Mutant(IsNotRenewed, "test_a_lease_outlives_its_life", LeaseSuite),
    Mutant(RenewsWhatHasLapsed, "test_what_has_lapsed_is_renewed_no_more", LeaseSuite),
    Mutant(ChildrenFree, "test_a_forked_child_does_not_hold", LeaseSuite),
    Mutant(ListsNothing, "test_what_it_cannot_list_it_refuses_to"),
    Mutant(ClaimsToList, "test_what_it_cannot_list_it_refuses_to"),
    Mutant(ClaimsToBeShared, "test_a_process_elsewhere_finds_it_too"),
    Mutant(ClaimsToForget, "test_what_expires_natively_is_forgotten"),
    Mutant(CountsByRemoving, "test_sessions_that_nobody_uses"),
    Mutant(TellsNamesForIds, "test_it_tells_the_ids_of_its_sessions"),
]
