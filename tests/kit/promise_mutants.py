"""Stores that break what caches or sessions promise, and the test that catches each."""

from __future__ import annotations

from beaker.testing import OutageSuite, RegionSuite, SessionSuite
from tests.kit.mutants import Mutant
from tests.kit.sick_caches import (
    ChokesOnDamage,
    EndsAtExpiry,
    FreesLate,
    HasOneLock,
    LetsEverybodyCreate,
    MakesAllWait,
    RaisesWhatItLikes,
    SharedFillsWithoutToken,
    TakesNoneForMissing,
)
from tests.kit.sick_outages import AnswersLate, TriesAgain, WaitsAsItLikes
from tests.kit.sick_records import (
    DropsNeighbours,
    TouchMakes,
)
from tests.kit.sick_sessions import (
    AlwaysReplaces,
    AsksForWhatWasAskedLast,
    CutsTheName,
    CutsTheRecord,
    IgnoresTheCaseOfIds,
    IsEmptyWhenAway,
    KeepsWhatIsRemoved,
    MakesOnRead,
    MarksNothing,
    Resurrects,
    ThrowsDamagedAway,
    TouchWritesBack,
    Unpickles,
)
from tests.kit.sick_sharing import (
    DiscardsOnlyWhatIsThere,
    DropKeepsLeases,
    NeverLapses,
    ReplacesInTwoSteps,
)

__all__ = ["PROMISE_MUTANTS"]

PROMISE_MUTANTS = [
    Mutant(EndsAtExpiry, "test_while_one_makes_an_expired_value", RegionSuite),
    Mutant(MakesAllWait, "test_while_one_makes_an_expired_value", RegionSuite),
    Mutant(LetsEverybodyCreate, "test_an_absent_value_is_made_once", RegionSuite),
    Mutant(HasOneLock, "test_different_values_are_made_at_the_same", RegionSuite),
    Mutant(HasOneLock, "test_a_child_forked_while_a_thread_creates", RegionSuite),
    Mutant(FreesLate, "test_a_creator_that_raises_frees_the_lock", RegionSuite),
    Mutant(NeverLapses, "test_a_creator_that_is_killed_is_replaced", RegionSuite),
    Mutant(SharedFillsWithoutToken, "test_a_creator_that_was_frozen", RegionSuite),
    Mutant(DropKeepsLeases, "test_nothing_computed_before", RegionSuite),
    Mutant(DiscardsOnlyWhatIsThere, "test_an_invalidation_by_another", RegionSuite),
    Mutant(DropsNeighbours, "test_clear_empties_its_own_namespace", RegionSuite),
    Mutant(TakesNoneForMissing, "test_a_value_that_is_nothing_much", RegionSuite),
    Mutant(ChokesOnDamage, "test_a_damaged_record_is_a_miss", RegionSuite),
    Mutant(RaisesWhatItLikes, "test_a_store_that_is_away_costs", RegionSuite),
    Mutant(IsEmptyWhenAway, "test_a_killed_server_is_told", OutageSuite),
    Mutant(RaisesWhatItLikes, "test_a_killed_server_is_told", OutageSuite),
    Mutant(TriesAgain, "test_a_killed_server_is_told", OutageSuite),
    Mutant(WaitsAsItLikes, "test_a_frozen_server_is_waited_for", OutageSuite),
    Mutant(AnswersLate, "test_an_answer_that_comes_too_late", OutageSuite),
    Mutant(AlwaysReplaces, "test_each_keeps_what_it_set", SessionSuite),
    Mutant(ReplacesInTwoSteps, "test_each_of_64_requests_keeps", SessionSuite),
    Mutant(Resurrects, "test_a_request_that_ends_after_a_logout", SessionSuite),
    Mutant(Resurrects, "test_a_logout_among_writers_is_final", SessionSuite),
    Mutant(TouchMakes, "test_a_request_that_ends_after_a_logout", SessionSuite),
    Mutant(TouchWritesBack, "test_a_reader_writes_nothing_back", SessionSuite),
    Mutant(AsksForWhatWasAskedLast, "test_no_thread_is_given_anothers", SessionSuite),
    Mutant(MarksNothing, "test_use_keeps_a_session_alive", SessionSuite),
    Mutant(KeepsWhatIsRemoved, "test_a_deleted_session_is_gone", SessionSuite),
    Mutant(MakesOnRead, "test_looking_for_sessions_makes_none", SessionSuite),
    Mutant(IgnoresTheCaseOfIds, "test_each_id_that_a_program_gives", SessionSuite),
    Mutant(CutsTheName, "test_each_id_that_a_program_gives", SessionSuite),
    Mutant(CutsTheRecord, "test_a_large_session_is_found_whole", SessionSuite),
    Mutant(ThrowsDamagedAway, "test_a_damaged_session_is_an_error", SessionSuite),
    Mutant(Unpickles, "test_no_pickle_that_another_put_there", SessionSuite),
    Mutant(IsEmptyWhenAway, "test_a_store_that_is_away_is_an_error", SessionSuite),
]
