package wolkvox

import (
	"context"
	"errors"
	"iter"
)

// RoutingPoint is a row of routing_points.
type RoutingPoint struct {
	ID   string // rp_id, written as in [Chat.RoutingPoint]
	Name string // rp_name, a label; "-" if absent
}

// TokenInfo says how much of the operation's requests of today is used.
type TokenInfo struct {
	// Used is how many were made, by all tokens of the operation, which share the day's
	// requests. Nil if the API does not say (all_token_today).
	Used *float64
	// Limit is how many there can be: what is used and what is left
	// (available_consumption_options). If token_limit is this token's own limit, the
	// difference is still what is left. Without what is left it is token_limit; nil if that
	// is absent too.
	Limit *float64
}

// RoutingPoints requests the routing points of the operation and yields each of them as it
// arrives, with the errors of [Client.Chats].
func (c *Client) RoutingPoints(ctx context.Context) iter.Seq2[RoutingPoint, error] {
	return stream(ctx, c, informationPage, routingPointsAPI, "", (*decoder).routingPoint)
}

// TokenInfo requests what is used of the day's requests. That uses one, too.
func (c *Client) TokenInfo(ctx context.Context) (TokenInfo, error) {
	var info TokenInfo
	for row, err := range stream(ctx, c, informationPage, tokenInfoAPI, "", (*decoder).tokenInfo) {
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

// routingPoint reads an element of data. Without an rp_id it is a bad row.
func (d *decoder) routingPoint() (RoutingPoint, error) {
	texts, _ := d.texts("rp_id", "rp_name")
	if texts[0] == nil {
		return RoutingPoint{}, ErrBadRow
	}
	return RoutingPoint{ID: label(texts[0]), Name: label(texts[1])}, nil
}

// tokenInfo reads an element of data. What is absent or not a count is unknown.
func (d *decoder) tokenInfo() (TokenInfo, error) {
	texts, ok := d.texts("all_token_today", "available_consumption_options", "token_limit")
	if !ok {
		return TokenInfo{}, ErrBadRow
	}
	var counts [3]*float64
	for i, text := range texts {
		if n, ok := parseInteger(text); ok {
			counts[i] = &n
		}
	}
	used, left, limit := counts[0], counts[1], counts[2]
	if used != nil && left != nil {
		sum := *used + *left
		limit = &sum
	}
	if limit != nil && *limit == 0 {
		limit = nil // This call would have been refused.
	}
	return TokenInfo{Used: used, Limit: limit}, nil
}
