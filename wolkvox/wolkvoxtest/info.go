package wolkvoxtest

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// routingPoints answers routing_points.
func (c *call) routingPoints() {
	points := c.cfg.RoutingPoints
	if c.cfg.Source != nil {
		points = slices.Concat(points, c.cfg.Source.RoutingPoints())
	}
	if len(points) == 0 {
		c.respondEmpty()
		return
	}
	e := c.encoder()
	e.head(http.StatusOK, strconv.Itoa(len(points))+" records were found")
	e.buf = append(e.buf, '[')
	for i, p := range points {
		if i > 0 {
			e.buf = append(e.buf, ',')
		}
		e.buf = append(e.buf, '{')
		if isNumber(p.ID) {
			e.raw("rp_id", p.ID) // documented as a number here
		} else {
			e.str("rp_id", p.ID)
		}
		e.str("rp_name", p.Name)
		e.flag("ivr_active", false)
		e.flag("chat_active", true)
		e.flag("interaction_active", true)
		e.flag("crm_active", false)
		e.date("last_use", c.now.Add(-time.Minute))
		e.buf = append(e.buf, '}')
	}
	e.buf = append(e.buf, ']')
	e.tail()
	c.respond(http.StatusOK, "application/json", e.buf)
}

// tokenInfo answers token_info. Its figures include this request.
func (c *call) tokenInfo() {
	byToken, byAll, limit := c.admission.usage(c.token, c.now)
	left := limit - byAll
	if limit == math.MaxInt {
		limit, left = Absent, Absent // no limit
	}
	e := c.encoder()
	e.head(http.StatusOK, "1 records were found")
	e.buf = append(e.buf, '[', '{')
	e.str("description", "wolkvoxtest")
	e.count("token_limit", limit)
	e.count("token_use_today", byToken)
	e.count("all_token_today", byAll)
	e.count("available_consumption_options", left)
	e.buf = append(e.buf, '}', ']')
	e.tail()
	c.respond(http.StatusOK, "application/json", e.buf)
}
