package wolkvoxtest

import (
	"iter"
	"strings"
	"time"
)

// EveryVariant yields the readings of U12 to U15 and the other envelopes and
// spellings, one at a time, with a name for a subtest. With each of them a reader must find
// [Server.Truth]. With U13 that is the truth of a reader that reads each row before it grows,
// 150 minutes after it was first shown whole.
func EveryVariant() iter.Seq2[string, Readings] {
	grows, again := Share("grows", 40), Share("grows again", 50)
	growth := func(c Chat) []time.Duration {
		switch {
		case !grows(c):
			return nil
		case again(c):
			return []time.Duration{150 * time.Minute, 200 * time.Minute, 6 * time.Hour}
		default:
			return []time.Duration{150 * time.Minute}
		}
	}
	spelled := func(spell func(string) string) Keys { return Keys{Names: EveryKey(spell)} }
	all := []struct {
		name string
		r    Readings
	}{
		{"U12-handoffs-only", Readings{HandoffsOnly: true}},
		{"U12-handoffs-only-filled-in-later", Readings{HandoffsOnly: true, FillDelay: 7 * time.Minute}},
		{"U12-handoffs-only-lists-open", Readings{HandoffsOnly: true, ListOpen: EmptyEnd}},
		{"U13-rows-grow", Readings{Growth: growth}},
		{"U13-rows-grow-and-end-later", Readings{Growth: growth, GrowEnd: true}},
		{"U13-rows-grow-and-end-later-selects-on-end", Readings{Growth: growth, GrowEnd: true, SelectOn: End}},
		{"U13-rows-grow-filled-in-later", Readings{Growth: growth, FillDelay: 7 * time.Minute}},
		{"U14-message-has-all", Readings{Message: MessageFound}},
		{"U14-message-has-none", Readings{Message: MessageSilent}},
		{"U14-message-in-Spanish", Readings{Message: MessageSpanish}},
		{"U14-message-has-all-last-rows-survive", Readings{Message: MessageFound, Cut: Last}},
		{"U15-keys-upper", Readings{Keys: spelled(strings.ToUpper)}},
		{"U15-keys-title", Readings{Keys: spelled(func(key string) string { return strings.ToUpper(key[:1]) + key[1:] })}},
		{"U15-keys-with-spaces", Readings{Keys: spelled(func(key string) string { return " " + key + " " })}},
		{"U15-one-key-with-a-space", Readings{Keys: Keys{Names: map[string]string{"asa": "asa "}}}},
		{"U6-empty-object", Readings{Empty: EmptyObject}},
		{"U6-empty-text", Readings{Empty: EmptyText}},
		{"U6-false-data", Readings{Empty: FalseData}},
		{"U8-short-clock", Readings{Durations: ShortClock}},
		{"U8-decimals", Readings{Decimals: true}},
		{"U8-decimal-seconds", Readings{Decimals: true, Durations: SecondsString}},
		{"U8-decimals-as-json", Readings{Decimals: true, Durations: SecondsNumber, NumbersAsJSON: true}},
		{"absent-na", Readings{Absent: AbsentNA}},
		{"absent-null-text", Readings{Absent: AbsentNullText}},
		{"date-fraction", Readings{DateStyle: DateFraction}},
		{"date-offset", Readings{DateStyle: DateOffset}},
		{"code-null", Readings{Code: CodeNull}},
		{"code-empty", Readings{Code: CodeEmpty}},
		{"code-blank", Readings{Code: CodeBlank}},
		{"code-zero", Readings{Code: CodeZero}},
		{"code-decimal", Readings{Code: CodeDecimal}},
		{"code-201", Readings{Code: CodeCreated}},
		{"code-202-as-string", Readings{Code: CodeAccepted, CodeAsString: true}},
		{"code-missing", Readings{Code: CodeMissing}},
		{"error-null-text", Readings{Error: ErrorNullText}},
		{"error-empty", Readings{Error: ErrorEmpty}},
		{"error-blank", Readings{Error: ErrorBlank}},
		{"data-keyed", Readings{Data: DataKeyed}},
		{"data-holes", Readings{Data: DataHoles}},
		{"data-single", Readings{Data: DataSingle}},
		{"data-bare", Readings{Data: DataBare}},
		{"wrong-types", Readings{WrongType: WrongTypes(Share("wrong types", 30))}},
	}
	return func(yield func(string, Readings) bool) {
		for _, e := range all {
			if !yield(e.name, e.r) {
				return
			}
		}
	}
}
