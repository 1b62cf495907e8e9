package wolkvox

import (
	"context"
	"errors"
	"io"
	"iter"
)

// RoutingPoint is a row of routing_points.
type RoutingPoint struct {
	ID   string // rp_id, written as in [Chat.RoutingPoint]
	Name string // rp_name, fit to be shown; "-" if absent
}

// TokenInfo tells how much of the operation's requests of today is spent.
type TokenInfo struct {
	// Used is how many were made, by all tokens of the operation: they share the
	// day's requests. Nil if the API does not say (all_token_today).
	Used *float64
	// Limit is how many there may be. It is what is used and what is left: so the
	// difference is what is left even where token_limit should be this token's own
	// limit, and others spend what it may. Where the API does not say what is left
	// (available_consumption_options), it is token_limit; nil if that is absent too.
	Limit *float64
}

// RoutingPoints asks for the routing points of the operation and yields each of
// them as it streams in, with the errors of [Client.Chats].
func (c *Client) RoutingPoints(ctx context.Context) iter.Seq2[RoutingPoint, error] {
	return stream(ctx, c, informationPage, routingPointsAPI, "", decodeRoutingPoints)
}

// TokenInfo asks for what is spent of the day's requests, of which it costs one.
func (c *Client) TokenInfo(ctx context.Context) (TokenInfo, error) {
	var info TokenInfo
	for row, err := range stream(ctx, c, informationPage, tokenInfoAPI, "", decodeTokenInfo) {
		switch {
		case errors.Is(err, ErrBadRow):
		case err != nil:
			return TokenInfo{}, err
		default:
			info = row
		}
	}
	return info, nil
}

func decodeRoutingPoints(body io.Reader, response *Response, yield func(RoutingPoint, error) bool) (rows int, err error) {
	d := newDecoder(body)
	return decodeRows(d, response, d.routingPoint, yield)
}

func decodeTokenInfo(body io.Reader, response *Response, yield func(TokenInfo, error) bool) (rows int, err error) {
	d := newDecoder(body)
	return decodeRows(d, response, d.tokenInfo, yield)
}

// routingPoint reads one element of data. Without an rp_id it is a bad row.
func (d *decoder) routingPoint() (RoutingPoint, error) {
	if !d.object() {
		return RoutingPoint{}, ErrBadRow
	}
	point := RoutingPoint{Name: "-"}
	for d.json.next('}') {
		var to *string
		switch string(d.normal(d.json.name())) {
		case "rp_id":
			to = &point.ID
		case "rp_name":
			to = &point.Name
		default:
			d.json.skip()
			continue
		}
		if text, _ := d.text(); !absent(text) {
			*to = label(text)
		}
	}
	if point.ID == "" {
		return RoutingPoint{}, ErrBadRow
	}
	return point, nil
}

// tokenInfo reads one element of data. What is absent there, or no count, is
// unknown.
func (d *decoder) tokenInfo() (TokenInfo, error) {
	if !d.object() {
		return TokenInfo{}, ErrBadRow
	}
	var used, left, limit *float64
	for d.json.next('}') {
		var to **float64
		switch string(d.normal(d.json.name())) {
		case "all_token_today":
			to = &used
		case "available_consumption_options":
			to = &left
		case "token_limit":
			to = &limit
		default:
			d.json.skip()
			continue
		}
		text, _ := d.text()
		if n, ok := parseInteger(text); ok {
			*to = &n
		}
	}
	if used != nil && left != nil {
		sum := *used + *left
		limit = &sum
	}
	if limit != nil && *limit == 0 {
		limit = nil // It would have refused this very call.
	}
	return TokenInfo{Used: used, Limit: limit}, nil
}
