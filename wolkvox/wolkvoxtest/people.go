package wolkvoxtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// queue is a routing point with its agents.
type queue struct {
	point  RoutingPoint
	handed float64       // factor of the share of handed-over chats
	handle time.Duration // a typical one
	agents []int
}

var (
	queues = []queue{
		{RoutingPoint{"1101", "Servicio al cliente"}, 0.95, 6 * time.Minute, []int{0, 1, 2, 3, 4, 5, 6, 7}},
		{RoutingPoint{"1102", "Ventas"}, 1.15, 8 * time.Minute, []int{8, 9, 10, 11, 12}},
		{RoutingPoint{"1103", "Soporte técnico"}, 1.20, 12 * time.Minute, []int{13, 14, 15, 16, 17}},
		{RoutingPoint{"1104", "Facturación y pagos"}, 0.80, 5 * time.Minute, []int{18, 19, 20, 0, 1}},
		{RoutingPoint{"1105", "Retención"}, 1.05, 10 * time.Minute, []int{21, 22, 23}},
	}
	queueShares = []int{36, 22, 18, 16, 8}

	channels      = []string{"whatsapp", "web", "facebook", "instagram", "telegram"}
	channelShares = []int{61, 18, 10, 7, 4}
	// shortChannels has no channel twice in any three successive ones, also across its
	// end.
	shortChannels = []string{"whatsapp", "web", "facebook", "whatsapp", "instagram", "telegram"}
)

var agents = []struct{ id, name string }{
	{"1201", "Adriana Palomino"},
	{"1202", "Bernardo Quintana"},
	{"1203", "Catalina Urrego"},
	{"1204", "Darío Monsalve"},
	{"1205", "Elvira Zuleta"},
	{"1206", "Fabián Echeverri"},
	{"1207", "Gloria Tabares"},
	{"1208", "Hernán Lozada"},
	{"1209", "Ivonne Castrillón"},
	{"1210", "Jairo Pedraza"},
	{"1211", "Karen Villamil"},
	{"1212", "Leonel Arboleda"},
	{"1213", "Marcela Ibáñez"},
	{"1214", "Nicolás Barreto"},
	{"1215", "Olga Santamaría"},
	{"1216", "Patricio Duque"},
	{"1217", "Rosalba Niño"},
	{"1218", "Samuel Ocampo"},
	{"1219", "Tatiana Bedoya"},
	{"1220", "Ulises Carmona"},
	{"1221", "Viviana Roldán"},
	{"1222", "Wilmer Granados"},
	{"1223", "Ximena Posada"},
	{"1224", "Yesid Caballero"},
}

var (
	givenNames = []string{
		"Alejandra", "Andrés", "Beatriz", "Camilo", "Carolina", "Daniela", "Diego", "Esteban", "Felipe", "Gabriela",
		"Isabel", "Iván", "Jorge", "Juliana", "Laura", "Lorenzo", "Luz", "Manuel", "María", "Mateo",
		"Natalia", "Óscar", "Paola", "Ramiro", "Sara", "Sebastián", "Sofía", "Tomás", "Valentina", "Yolanda",
	}
	familyNames = []string{
		"Acevedo", "Ballesteros", "Cárdenas", "Delgado", "Escobar", "Franco", "Gaitán", "Herrera", "Izquierdo", "Jaramillo",
		"Largo", "Mendoza", "Núñez", "Orozco", "Peña", "Quiroga", "Restrepo", "Sánchez", "Tovar", "Uribe",
		"Vargas", "Yepes", "Zapata", "Bermúdez", "Castaño", "Gallego", "Londoño", "Murillo", "Ríos", "Salcedo",
	}
	mailNames = strings.NewReplacer("á", "a", "é", "e", "í", "i", "ó", "o", "ú", "u", "ñ", "n", " ", ".")
)

// customer gives the minute's i-th chat a number and a fictitious customer. No two
// customers of a minute share a telephone number.
func (m *chatMaker) customer(c *Chat, i int) {
	given, family := givenNames[m.IntN(len(givenNames))], familyNames[m.IntN(len(familyNames))]
	name := given + " " + family
	c.Customer = Customer{
		Phone: fmt.Sprintf("57%d555%02d%02d", 300+m.IntN(25), m.IntN(100), i%100),
		Name:  name,
		ID:    strconv.Itoa(1_000_000_000 + m.IntN(199_999_999)),
		Email: mailNames.Replace(strings.ToLower(name)) + strconv.Itoa(m.IntN(100)) + "@example.com",
	}
	c.ConnID = strconv.FormatUint(m.number, 10) + fmt.Sprintf("%03d", i)
}
