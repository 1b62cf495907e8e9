package ledger

// IsBehind reports whether any count of v is lower than in other, or missing. Every row
// raises a count of rows, so of two states in the history of a ledger the older one is
// behind, if they differ in any count at all.
func (v *View) IsBehind(other *View) bool {
	if v.Counts.isBehind(&other.Counts) {
		return true
	}
	tallies := make(map[Labels]*Tally, len(v.LabelSets))
	for _, set := range v.LabelSets {
		tallies[set.Labels] = set.Tally
	}
	for _, set := range other.LabelSets {
		if tally := tallies[set.Labels]; tally == nil || tally.isBehind(set.Tally) {
			return true
		}
	}
	return false
}

func (c *Counts) isBehind(other *Counts) bool {
	if c.Late < other.Late || c.Overflowed < other.Overflowed {
		return true
	}
	for outcome := range c.Records {
		if c.Records[outcome] < other.Records[outcome] {
			return true
		}
	}
	for field := range c.FieldErrors {
		if c.FieldErrors[field] < other.FieldErrors[field] {
			return true
		}
	}
	return false
}

func (t *Tally) isBehind(other *Tally) bool {
	if t.Interactions < other.Interactions || t.Handoffs < other.Handoffs {
		return true
	}
	for sender := range t.LastSender {
		if t.LastSender[sender] < other.LastSender[sender] {
			return true
		}
	}
	for m := range t.Histograms {
		if t.Histograms[m].Count < other.Histograms[m].Count {
			return true
		}
	}
	return false
}
