package wolkvox

import (
	"fmt"
	"strings"
	"testing"
)

// realistic is a report as PHP writes it, without space and with what is not
// ASCII escaped.
func realistic(rows int) string {
	channels := []string{"whatsapp", "facebook", "instagram", "telegram", "web"}
	var b strings.Builder
	b.WriteString(`{"code":"200","error":null,"msg":"` + fmt.Sprint(rows) + ` records were found","data":[`)
	for i := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		start := LocalTime(1768750000 + i)
		fmt.Fprintf(&b, `{"conn_id":"%d","session_id":"57300%07d-%s","times_chatted":"%d","start_date":"%v","end_date":"%v",`+
			`"time_on_chatbot":"00:%02d:%02d","rp_id":"%d","channel":"%s",`, 1768750000000+i, i, channels[i%5], i%40, start, start+1000,
			i%7, i%60, 12600+i%12, channels[i%5])
		if i%3 == 0 {
			b.WriteString(`"go_to_agent":"no","customer_phone":"573001112233","customer_name":"Mar\u00eda Pe\u00f1a","customer_id":"-",` +
				`"customer_email":"-","agent_id":"-","agent_name":"-","time_with_agent":"-","total_time":"00:16:40",` +
				`"customer_chars":"112","agent_chars":"0","total_chars":"112","asa":"-","last_sender":"chat_bot"}`)
			continue
		}
		fmt.Fprintf(&b, `"go_to_agent":"yes","customer_phone":"573001112233","customer_name":"Jos\u00e9 Mu\u00f1oz","customer_id":"80012345",`+
			`"customer_email":"jose.munoz@example.com","agent_id":"%d","agent_name":"Luc\u00eda G\u00f3mez","time_with_agent":"00:14:%02d",`+
			`"total_time":"00:16:40","customer_chars":"312","agent_chars":"845","total_chars":"1157","asa":"00:00:%02d","last_sender":"agent"}`,
			5500+i%80, i%60, i%60)
	}
	b.WriteString(`]}`)
	return b.String()
}

func BenchmarkDecode(b *testing.B) {
	const rows = MaxRows
	body := realistic(rows)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		n, err := decode(strings.NewReader(body), wanted{}, func(_ Chat, err error) bool { return err == nil })
		if n != rows || err != nil {
			b.Fatalf("have %d rows, %v", n, err)
		}
	}
	allocs := testing.AllocsPerRun(1, func() {
		_, _ = decode(strings.NewReader(body), wanted{}, func(Chat, error) bool { return true })
	})
	b.ReportMetric(allocs/rows, "allocs/row")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/rows, "µs/row")
}
