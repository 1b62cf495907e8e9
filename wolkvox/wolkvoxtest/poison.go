package wolkvoxtest

import (
	"net/http"
	"strconv"
)

// Poison is a defect of a row that makes each response with the row invalid. It lasts as
// long as the function of [Server.PoisonWith] returns it.
type Poison int

// Poisons that make a response invalid JSON.
const (
	NoPoison      Poison = iota
	PoisonEmpty          // an empty body with status 200, as when PHP's json_encode returns false
	PoisonQuote          // a raw quote in customer_name
	PoisonWarning        // a PHP warning in the middle of the row
	PoisonCut            // the body ends in the row, as if complete
	PoisonNaN            // asa is NaN

	// Poisons that a tolerant reader can read: raw characters in customer_name.
	PoisonTab
	PoisonBreak
	PoisonLatin1 // a name that is not UTF-8
	endOfPoisons
)

var poisons = [endOfPoisons]struct{ name, field, value string }{
	NoPoison:      {name: "none"},
	PoisonEmpty:   {name: "empty"},
	PoisonQuote:   {"quote", "customer_name", `"Ana "la mona" Núñez"`},
	PoisonWarning: {"warning", "customer_name", textWarning + `"Ana"`},
	PoisonCut:     {name: "cut"},
	PoisonNaN:     {"nan", "asa", "NaN"},
	PoisonTab:     {"tab", "customer_name", "\"Ana\tNu\\u00f1ez\""},
	PoisonBreak:   {"break", "customer_name", "\"Ana\r\nNu\\u00f1ez\""},
	PoisonLatin1:  {"latin1", "customer_name", "\"Ana N\xfa\xf1ez\""},
}

// AllPoisons returns all poisons but NoPoison.
func AllPoisons() []Poison {
	all := make([]Poison, 0, endOfPoisons-1)
	for p := NoPoison + 1; p < endOfPoisons; p++ {
		all = append(all, p)
	}
	return all
}

// Unreadable reports whether no reader can read a response with the poison.
func (p Poison) Unreadable() bool { return p > NoPoison && p < PoisonTab }

// String returns the poison's name.
func (p Poison) String() string {
	if p < 0 || p >= endOfPoisons {
		return "poison-" + strconv.Itoa(int(p))
	}
	return poisons[p].name
}

// PoisonWith calls of with each chat of a response for the poison in its row,
// from now on; nil makes all of them readable. It is called from several
// goroutines, with the chat as it is first shown.
func (s *Server) PoisonWith(of func(Chat) Poison) { s.poison.Store(&of) }

// rowPoison returns the poison of the row of a chat.
func (s *Server) rowPoison(l *listing) Poison {
	if of := s.poison.Load(); of != nil && *of != nil {
		return (*of)(*l.first)
	}
	return NoPoison
}

// respondPoisonEmpty sends an empty body if one of the rows has PoisonEmpty.
func (c *call) respondPoisonEmpty(rows []listing) bool {
	for i := range rows {
		if c.rowPoison(&rows[i]) == PoisonEmpty {
			c.respond(http.StatusOK, "application/json", nil)
			return true
		}
	}
	return false
}
