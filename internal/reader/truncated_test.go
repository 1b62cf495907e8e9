package reader

import (
	"errors"
	"testing"
)

func TestRowLimit_LearnsFromHalves(t *testing.T) {
	for _, test := range []struct {
		name                   string
		limit                  rowLimit
		rows, chats, announced int
		truncated              bool
		want                   rowLimit
	}{
		{"many more", rowLimit{largest: 900, falseAnnouncements: 2}, 777, 1_400, -1, true, rowLimit{largest: 900, known: 777}},
		{"no more", rowLimit{largest: 777}, 777, 777, -1, false, rowLimit{largest: 777, verified: 777}},
		{"a few more may have come meanwhile", rowLimit{largest: 777}, 777, 780, -1, false, rowLimit{largest: 777}},
		{"no more than msg named falseAnnouncements", rowLimit{}, 30, 30, 37, false, rowLimit{largest: 30, falseAnnouncements: 1}},
	} {
		have := test.limit
		if truncated := have.learn(test.rows, test.chats, test.announced); truncated != test.truncated || have != test.want {
			t.Errorf("%s: have %v and %+v, want %v and %+v", test.name, truncated, have, test.truncated, test.want)
		}
	}
}

func TestRowLimit_ChecksResponses(t *testing.T) {
	suspect := func(l rowLimit, rows, announced int) string {
		switch err := l.check(rows, announced); {
		case err == nil:
			return "whole"
		case errors.Is(err, errSuspect):
			return "suspect"
		default:
			return "truncated"
		}
	}
	for _, test := range []struct {
		name            string
		limit           rowLimit
		rows, announced int
		want            string
	}{
		{"the vendor's limit", rowLimit{}, 60_000, -1, "truncated"},
		{"less", rowLimit{}, 59_999, -1, "whole"},
		{"none", rowLimit{}, 0, -1, "whole"},
		{"none of none", rowLimit{}, 0, 0, "whole"},
		{"msg names more", rowLimit{}, 3, 4, "suspect"},
		{"msg names more than none", rowLimit{}, 0, 4, "suspect"},
		{"msg names fewer", rowLimit{}, 4, 3, "whole"},
		{"msg has lied", rowLimit{falseAnnouncements: 3}, 3, 4, "whole"},
		{"a round number", rowLimit{}, 5_000, -1, "suspect"},
		{"a power of two", rowLimit{}, 4_096, -1, "suspect"},
		{"one less", rowLimit{}, 4_095, -1, "suspect"},
		{"a small round number", rowLimit{}, 10, -1, "whole"},
		{"as many as the most", rowLimit{largest: 777}, 777, -1, "suspect"},
		{"a few as the most", rowLimit{largest: 19}, 19, -1, "whole"},
		{"twenty as the most", rowLimit{largest: 20}, 20, -1, "suspect"},
		{"verified", rowLimit{largest: 777, verified: 777}, 777, -1, "whole"},
		{"fewer than the most", rowLimit{largest: 777}, 776, -1, "whole"},
		{"found", rowLimit{known: 777}, 777, -1, "truncated"},
		{"fewer than found", rowLimit{known: 777}, 776, -1, "whole"},
		{"more than found", rowLimit{known: 777}, 778, -1, "whole"},
	} {
		if have := suspect(test.limit, test.rows, test.announced); have != test.want {
			t.Errorf("%s: have %s, want %s", test.name, have, test.want)
		}
	}
}
