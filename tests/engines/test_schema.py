"""Tables, tokens through every view, months and states of messages, on every release."""

# ruff: noqa: F401
from tests.sinks.test_schema import (
    delivery,
    test_a_block_inserted_twice_counts_once_everywhere,
    test_a_block_of_more_than_a_hundred_months,
    test_a_recipients_hits_are_found_by_key,
    test_columns_are_those_of_the_mapping,
    test_equal_rows_under_another_token_count_again,
    test_look_ups_use_the_primary_key,
    test_the_look_up_reads_every_column_in_the_same_order,
    test_the_state_of_a_message,
    test_what_prepared_says_of_a_message_stays,
)
