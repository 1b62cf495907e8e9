package wolkvoxtest_test

import (
	"encoding/json"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func TestServer_RoutingPoints(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{
		Location: bogota, Now: clockAt(noon), Readings: readings{Yes: wolkvoxtest.YesUpper},
		RoutingPoints: []wolkvoxtest.RoutingPoint{{ID: "77", Name: "Ventas"}, {ID: "x8", Name: ""}},
		Source:        wolkvoxtest.Day(wolkvoxtest.DayConfig{}),
	})
	d := get(t, s, information+"?api=routing_points").document(t)
	number := func(s string) any { return json.Number(s) }
	wantColumn(t, d, "rp_id", number("77"), "x8", number("1101"), number("1102"), number("1103"), number("1104"), number("1105"))
	wantColumn(t, d, "rp_name", "Ventas", "-", "Servicio al cliente", "Ventas", "Soporte técnico", "Facturación y pagos", "Retención")
	if first := d.Data[0]; first["chat_active"] != "YES" || first["crm_active"] != "NO" || first["last_use"] != "2026-03-10 11:59:00" {
		t.Errorf("have %v", first)
	}
}

func TestServer_WithoutRoutingPoints(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Readings: readings{Empty: wolkvoxtest.Status404}})
	if have := get(t, s, information+"?api=routing_points"); have.status != 404 {
		t.Errorf("have %+v", have)
	}
}

func TestTokenInfo_HasVendorsQuotaByDefault(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{})
	wantColumn(t, get(t, s, information+"?api=token_info").document(t), "token_limit", "1000")
}

func TestTokenInfo_CountsItself(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Now: clockAt(noon), Limits: wolkvoxtest.Limits{RequestsPerDay: 2_000}})
	get(t, s, dayReport())
	s.Spend(5)
	get(t, s, dayReport(), "wolkvox-token", "another")
	d := get(t, s, information+"?api=token_info").document(t)
	wantColumn(t, d, "token_limit", "2000")
	wantColumn(t, d, "token_use_today", "2")
	wantColumn(t, d, "all_token_today", "8")
	wantColumn(t, d, "available_consumption_options", "1992")
}

func TestTokenInfo_WithoutLimit(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Limits: wolkvoxtest.Limits{RequestsPerDay: -1}})
	d := get(t, s, information+"?api=token_info").document(t)
	wantColumn(t, d, "token_limit", "-")
	wantColumn(t, d, "all_token_today", "1")
	wantColumn(t, d, "available_consumption_options", "-")
}
