package wolkvoxtest

import (
	"slices"
	"time"
)

// Keys spells the keys of a row otherwise than documented (U15). The zero value
// spells them as documented.
type Keys struct {
	// Names has the spelling by the documented key; "" leaves the field out.
	Names map[string]string
	// From and Until are when the vendor's update comes and when it is taken back;
	// zero means always and never.
	From, Until time.Time
}

// Fields are the documented keys of a row, sorted.
func Fields() []string {
	fields := []string{"conn_id", "session_id", "start_date", "end_date"}
	for field := range absences {
		fields = append(fields, field)
	}
	slices.Sort(fields)
	return fields
}

// EveryKey returns names for [Keys] that spell every documented key so.
func EveryKey(spell func(string) string) map[string]string {
	names := map[string]string{}
	for _, field := range Fields() {
		names[field] = spell(field)
	}
	return names
}

// at returns the names that are in force, if any.
func (k *Keys) at(now time.Time) map[string]string {
	if now.Before(k.From) || !k.Until.IsZero() && !now.Before(k.Until) {
		return nil
	}
	return k.Names
}

// SetKeys spells the keys of rows from now on, instead of Readings.Keys.
func (s *Server) SetKeys(k Keys) { s.keys.Store(&k) }
