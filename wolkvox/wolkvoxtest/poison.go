package wolkvoxtest

import (
	"net/http"
	"strconv"
)

// Poison is something in a row that spoils every response that holds it, and no
// other. The server makes it for as long as [Server.PoisonWith] says so.
type Poison int

// Poisons that leave a response that is no JSON.
const (
	NoPoison      Poison = iota
	PoisonEmpty          // an empty body with status 200, as when PHP's json_encode returns false
	PoisonQuote          // a raw quote in customer_name
	PoisonWarning        // a PHP warning in the middle of the row
	PoisonCut            // the body ends in the row, as if complete
	PoisonNaN            // asa is NaN

	// Poisons that a tolerant reader can read: raw signs in customer_name.
	PoisonTab
	PoisonBreak
	PoisonLatin1 // a name that is not UTF-8
	poisonsAltogether
)

var poisons = [poisonsAltogether]struct{ name, field, value string }{
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

// AllPoisons are all but NoPoison.
func AllPoisons() []Poison {
	all := make([]Poison, 0, poisonsAltogether-1)
	for p := NoPoison + 1; p < poisonsAltogether; p++ {
		all = append(all, p)
	}
	return all
}

// Unreadable reports whether no reader can read a response with the poison.
func (p Poison) Unreadable() bool { return p > NoPoison && p < PoisonTab }

// String is the poison's name.
func (p Poison) String() string {
	if p < 0 || p >= poisonsAltogether {
		return "poison-" + strconv.Itoa(int(p))
	}
	return poisons[p].name
}

// PoisonWith calls of with each chat of a response for the poison in its row,
// from now on; nil makes all of them readable. It is called from several
// goroutines, with the chat as it is first shown.
func (s *Server) PoisonWith(of func(Chat) Poison) { s.poison.Store(&of) }

// poisonOf is the poison of the row of a chat.
func (s *Server) poisonOf(l *listing) Poison {
	if of := s.poison.Load(); of != nil && *of != nil {
		return (*of)(*l.first)
	}
	return NoPoison
}

// emptied answers with an empty body if one of the rows has PoisonEmpty.
func (c *call) emptied(rows []listing) bool {
	for i := range rows {
		if c.poisonOf(&rows[i]) == PoisonEmpty {
			c.body(http.StatusOK, "application/json", nil)
			return true
		}
	}
	return false
}
