package e2e

import (
	"strconv"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// chatGroup describes the chats of a routing point and channel in a run. Times are
// fractions of the run.
type chatGroup struct {
	wolkvoxtest.Key
	born      float64 // the first chat ends then; below 0 it is before the first poll
	handsOver float64 // only the bot has chats before then
	only      int     // that many chats, if not 0
}

// The keys are as the exporter shows them. Two exist from the first poll on.
var (
	busy        = chatGroup{Key: wolkvoxtest.Key{RoutingPoint: "1101", Channel: "whatsapp"}, born: -1, handsOver: -1}
	slow        = chatGroup{Key: wolkvoxtest.Key{RoutingPoint: "1102", Channel: "web"}, born: -1, handsOver: 0.3}
	early       = chatGroup{Key: wolkvoxtest.Key{RoutingPoint: "2101", Channel: "web"}, born: 0.05, handsOver: 0.55}
	unseen      = chatGroup{Key: wolkvoxtest.Key{RoutingPoint: "2102", Channel: "telegram"}, born: 0.35, handsOver: 0}
	once        = chatGroup{Key: wolkvoxtest.Key{RoutingPoint: "2103", Channel: "facebook"}, born: 0.7, handsOver: 0, only: 1}
	allGroups   = []chatGroup{busy, slow, early, unseen, once}
	firstGroups = []chatGroup{busy, slow}
)

// chat returns the i-th chat of a group.
func (p chatGroup) chat(i int, end time.Time, handedOver bool) wolkvoxtest.Chat {
	length := time.Duration(i%25) * time.Second
	c := wolkvoxtest.Chat{
		ConnID: strconv.Itoa(7_000_000 + i), SessionID: "session" + strconv.Itoa(i), Start: end.Add(-length), End: end,
		BotTime: time.Duration(i*7%90) * time.Second, Answer: wolkvoxtest.Absent, HandleTime: wolkvoxtest.Absent, Total: length,
		RoutingPoint: p.RoutingPoint, Channel: p.Channel,
		Messages: i % 40, CustomerChars: i * 13 % 700, AgentChars: wolkvoxtest.Absent, LastSender: "chat_bot",
	}
	if handedOver {
		c.HandedOff, c.AgentID, c.AgentName = true, "1201", "Adriana Palomino"
		c.Answer, c.HandleTime, c.AgentChars = time.Duration(i*i%400)*time.Second, time.Duration(i*31%2000)*time.Second, i*17%900
		c.LastSender = []string{"agent", "customer"}[i%2]
	}
	return c
}

// chatsBefore returns chats of the first groups that ended before a time.
func chatsBefore(end time.Time) []wolkvoxtest.Chat {
	var chats []wolkvoxtest.Chat
	for i := range 20 {
		p := firstGroups[i%len(firstGroups)]
		chats = append(chats, p.chat(i, end.Add(-time.Duration(i)*time.Second), p.handsOver < 0))
	}
	return chats
}

// chatsDuring returns n chats that end one after the other.
func chatsDuring(begin time.Time, length time.Duration, n int) []wolkvoxtest.Chat {
	chats, made := make([]wolkvoxtest.Chat, 0, n), map[wolkvoxtest.Key]int{}
	for i := 0; len(chats) < n; i++ {
		moment := float64(len(chats)) / float64(n)
		p := allGroups[i%len(allGroups)]
		if moment < p.born || p.only > 0 && made[p.Key] == p.only {
			continue
		}
		made[p.Key]++
		end := begin.Add(time.Duration(moment * float64(length)))
		chats = append(chats, p.chat(1000+len(chats), end, moment >= p.handsOver))
	}
	return chats
}
