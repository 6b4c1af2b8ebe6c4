"""Tests in other folders that are about faults on the list: the matrix takes their outcome, so nothing is tested twice.

File -> test -> faults. `test_matrix.py` sees to it that every one of them is there.
"""

from collections.abc import Mapping
from typing import Final

ELSEWHERE: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "tests/features/test_every_feature.py": {
        "test_order_of_rows_does_not_matter": ("F19",),
        "test_an_event_delivered_twice_counts_once": ("F19",),
    },
    "tests/models/test_bundle.py": {
        "test_a_coefficient_that_was_changed_is_found_out": ("F26",),
        "test_an_encoding_or_an_intercept_that_was_changed_is_found_out": ("F26",),
        "test_a_calibrator_that_turns_the_ranking_over_is_refused": ("F30",),
    },
    "tests/models/test_calibration.py": {"test_a_release_that_was_tampered_with_is_refused": ("F30",)},
    "tests/models/test_contract.py": {
        "test_two_columns_swapped": ("F27",),
        "test_a_column_missing": ("F27",),
        "test_a_column_too_many": ("F27",),
        "test_a_column_renamed": ("F27",),
        "test_a_number_that_became_text_and_a_text_that_became_a_number": ("F27",),
        "test_too_many_unseen_categories": ("F36",),
        "test_a_few_unseen_categories_are_told_and_no_more_than_in_training_are_not": ("F36",),
        "test_values_out_of_range_are_counted": ("F37",),
    },
    "tests/serve/test_scorer.py": {"test_categories_that_are_new_are_told_and_too_many_refused": ("F36",)},
    "tests/pipelines/test_backfill.py": {
        "test_missed_nights_are_seen_and_filled_each_with_the_release_of_that_night": ("F20",),
        "test_a_night_before_the_first_champion_is_left_out_and_said_so": ("F20",),
        "test_a_past_day_is_scored_by_what_was_known_then_and_gives_the_scores_of_that_day": ("F21",),
        "test_a_range_is_filled_day_by_day_and_what_is_there_stays": ("F21",),
        "test_a_range_that_reaches_into_the_future_is_refused": ("F21",),
        "test_days_are_those_of_the_configured_zone": ("F15",),
    },
    "tests/pipelines/test_doctor.py": {"test_a_missing_release_is_named_with_what_to_type": ("F24",)},
    "tests/pipelines/test_erase.py": {"test_the_lead_does_not_come_back": ("F47",)},
    "tests/pipelines/test_importing.py": {
        "test_times_without_offset_need_a_zone_and_ambiguous_dates_a_format": ("F16",),
        "test_bad_rows_are_quarantined_whole_with_line_and_one_reason": ("F37", "F42"),
        "test_every_row_is_loaded_or_quarantined_and_twice_is_once": ("F19", "F42"),
        "test_the_order_of_rows_and_their_repetition_do_not_matter": ("F19",),
        "test_types_are_inferred_over_the_whole_file_and_persons_left_out": ("F34",),
        "test_columns_that_do_not_fit_are_named_with_the_nearest": ("F35",),
        "test_the_stores_word_on_a_type_stands": ("F35",),
        "test_a_row_that_contradicts_itself_is_quarantined": ("F41",),
        "test_erased_leads_stay_away_and_leave_no_trace": ("F47",),
    },
    "tests/pipelines/test_mapped_tables.py": {
        "test_a_hostile_name_never_reaches_the_database": ("F44",),
        "test_a_word_of_sql_is_a_name_like_any_other": ("F44",),
    },
    "tests/pipelines/test_migrations.py": {
        "test_a_change_that_fails_leaves_nothing_and_can_be_mended": ("F14",),
        "test_a_store_of_a_newer_program_is_refused_and_unchanged": ("F14",),
    },
    "tests/pipelines/test_judging.py": {
        "test_from_a_card_to_a_champion": ("F31",),
        "test_a_card_that_was_edited_after_its_review_loses_its_approval": ("F31",),
        "test_a_version_that_was_registered_anew_must_be_reviewed_anew": ("F31",),
    },
    "tests/pipelines/test_nights.py": {
        "test_a_moment_belongs_to_the_one_day_whose_window_holds_it": ("F15",),
        "test_days_follow_one_another_without_a_gap_or_an_overlap": ("F15",),
        "test_a_day_has_the_hours_that_it_has": ("F15",),
        "test_a_job_at_half_past_two_of_a_change_night_scores_the_day_it_is": ("F15",),
    },
    "tests/pipelines/test_publishing.py": {
        "test_a_lead_that_leaves_while_the_run_is_on_its_way_is_not_published": ("F40", "F46"),
        "test_a_run_that_scores_nobody": ("F38",),
        "test_a_volume_that_falls_by_more_than_half": ("F38",),
        "test_a_level_that_moves_by_more_than_a_factor_either_way": ("F39",),
        "test_what_is_no_probability": ("F37",),
        "test_the_fence_alone_stops_a_run_that_nobody_took_for_dead": ("F04",),
        "test_the_fence_alone_stops_a_run_over_one_that_was_replaced": ("F04",),
    },
    "tests/pipelines/test_reading.py": {
        "test_every_way_of_writing_a_file_gives_the_same_rows": ("F42",),
        "test_line_ends_do_not_matter": ("F42",),
        "test_ragged_rows_and_stray_quotes_are_handed_on_with_their_line": ("F42",),
        "test_encoding_that_is_guessed_is_said_and_can_be_stated": ("F42",),
        "test_bytes_that_are_no_utf8_are_noticed_far_down_the_file": ("F42",),
        "test_what_is_no_table_is_refused_with_what_to_do": ("F42",),
        "test_endless_lines_and_fields_are_refused_without_being_held": ("F42",),
        "test_a_file_that_unpacks_beyond_measure_is_refused": ("F42",),
    },
    "tests/pipelines/test_release.py": {
        "test_whatever_was_done_to_it_is_refused_before_it_is_parsed": ("F25",),
        "test_another_digest_is_refused_before_even_the_manifest_is_parsed": ("F25",),
        "test_intact_files_that_compute_something_else_are_refused": ("F26",),
    },
    "tests/pipelines/test_scoring.py": {
        "test_running_again_changes_nothing": ("F22",),
        "test_another_configuration_needs_a_reason_to_publish_over_a_run": ("F22",),
        "test_a_score_is_of_its_moment_whatever_came_in_since": ("F18",),
        "test_a_lead_that_objects_between_reading_and_publishing_is_not_published": ("F46",),
        "test_a_jump_is_not_published": ("F38", "F39"),
        "test_a_champion_whose_files_were_tampered_with_does_not_score": ("F25",),
    },
    "tests/pipelines/test_training.py": {
        "test_too_little_data_is_refused_with_counts": ("F29",),
        "test_a_planted_leak_is_named_before_anything_is_learned": ("F29",),
        "test_where_nothing_tells_who_buys_nothing_is_registered": ("F29",),
        "test_a_release_whose_files_changed_is_not_promoted": ("F31",),
    },
}
