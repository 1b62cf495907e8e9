package wolkvoxtest

import (
	"slices"
	"time"
)

// Keys changes the spelling of a row's keys (U15). The zero value spells them as
// documented.
type Keys struct {
	// Names has the spelling by the documented key; "" leaves the field out.
	Names map[string]string
	// From and Until are the times of the vendor's update and of its reversal; zero
	// means always and never.
	From, Until time.Time
}

// Fields are the documented keys of a row, sorted.
func Fields() []string {
	fields := []string{"conn_id", "session_id", "start_date", "end_date"}
	for field := range clearField {
		fields = append(fields, field)
	}
	slices.Sort(fields)
	return fields
}

// EveryKey returns names for [Keys] that apply spell to every documented key.
func EveryKey(spell func(string) string) map[string]string {
	names := map[string]string{}
	for _, field := range Fields() {
		names[field] = spell(field)
	}
	return names
}

// at returns the names that apply at a time, if any.
func (k *Keys) at(now time.Time) map[string]string {
	if now.Before(k.From) || !k.Until.IsZero() && !now.Before(k.Until) {
		return nil
	}
	return k.Names
}

// SetKeys replaces Readings.Keys from now on.
func (s *Server) SetKeys(k Keys) { s.keys.Store(&k) }
