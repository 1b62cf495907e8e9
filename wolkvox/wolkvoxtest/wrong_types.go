package wolkvoxtest

// wrongField returns the field of a chat whose value has a wrong type, if any.
func (r *Readings) wrongField(first *Chat) string {
	if r.WrongType == nil {
		return ""
	}
	field, _ := r.WrongType(*first)
	return field
}

// clearField has a function for each field that removes its value from a chat.
var clearField = map[string]func(*Chat){
	"times_chatted":   func(c *Chat) { c.Messages = Absent },
	"time_on_chatbot": func(c *Chat) { c.BotTime = Absent },
	"rp_id":           func(c *Chat) { c.RoutingPoint = "" },
	"channel":         func(c *Chat) { c.Channel = "" },
	"go_to_agent":     func(c *Chat) { c.HandedOff = false },
	"customer_phone":  func(c *Chat) { c.Customer.Phone = "" },
	"customer_name":   func(c *Chat) { c.Customer.Name = "" },
	"customer_id":     func(c *Chat) { c.Customer.ID = "" },
	"customer_email":  func(c *Chat) { c.Customer.Email = "" },
	"agent_id":        func(c *Chat) { c.AgentID = "" },
	"agent_name":      func(c *Chat) { c.AgentName = "" },
	"time_with_agent": func(c *Chat) { c.HandleTime = Absent },
	"total_time":      func(c *Chat) { c.Total = Absent },
	"customer_chars":  func(c *Chat) { c.CustomerChars = Absent },
	"agent_chars":     func(c *Chat) { c.AgentChars = Absent },
	"total_chars":     func(*Chat) {}, // no figure of its own
	"asa":             func(c *Chat) { c.Answer = Absent },
	"last_sender":     func(c *Chat) { c.LastSender = "" },
}

// WrongTypes returns a Readings.WrongType: the chats of a share have a boolean, an array
// or an object in one of the counted fields.
func WrongTypes(share func(Chat) bool) func(Chat) (field, value string) {
	fields := []string{
		"times_chatted", "time_on_chatbot", "time_with_agent", "total_time",
		"customer_chars", "agent_chars", "asa", "last_sender", "rp_id", "channel", "agent_id",
	}
	values := []string{"false", "true", "[]", `["5"]`, "{}", `{"0":"5"}`}
	return func(c Chat) (field, value string) {
		if !share(c) {
			return "", ""
		}
		n := c.hash("wrong type")
		return fields[n%uint64(len(fields))], values[n/uint64(len(fields))%uint64(len(values))]
	}
}
