package main

import (
	"bytes"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// chart has a line for each cost; both axes are logarithmic.
type chart struct {
	name  string // of its file
	x, y  string // labels of the axes
	lines []line
}

type line struct {
	legend string
	cost   cost
	color  color.Color
	mark   draw.GlyphDrawer
}

// The colours of the lines are distinct for colour-blind readers.
var (
	blue   = color.NRGBA{R: 0x00, G: 0x72, B: 0xb2, A: 0xff}
	sky    = color.NRGBA{R: 0x56, G: 0xb4, B: 0xe9, A: 0xff}
	red    = color.NRGBA{R: 0xd5, G: 0x5e, B: 0x00, A: 0xff}
	orange = color.NRGBA{R: 0xe6, G: 0x9f, B: 0x00, A: 0xff}
	dark   = color.Gray{Y: 0x80}
	light  = color.Gray{Y: 0xd0}
)

var charts = []chart{
	{"rows", "rows", "CPU of a poll, in ms", []line{
		{"exporter, new rows", cost{"Poll/chats=new/by=exporter", "cpu-ms/op"}, blue, draw.CircleGlyph{}},
		{"exporter, known rows", cost{"Poll/chats=known/by=exporter", "cpu-ms/op"}, sky, draw.RingGlyph{}},
		{"obvious exporter, new rows", cost{"Poll/chats=new/by=obvious", "cpu-ms/op"}, red, draw.BoxGlyph{}},
		{"obvious exporter, known rows", cost{"Poll/chats=known/by=obvious", "cpu-ms/op"}, orange, draw.SquareGlyph{}},
	}},
	{"identities", "identities", "CPU, in ms", []line{
		{"exporter, save", cost{"Save/by=exporter", "cpu-ms/op"}, blue, draw.CircleGlyph{}},
		{"exporter, load", cost{"Load/by=exporter", "cpu-ms/op"}, sky, draw.RingGlyph{}},
		{"obvious exporter, save", cost{"Save/by=obvious", "cpu-ms/op"}, red, draw.BoxGlyph{}},
		{"obvious exporter, load", cost{"Load/by=obvious", "cpu-ms/op"}, orange, draw.SquareGlyph{}},
	}},
	{"operations", "operations", "CPU of a poll of all, in ms", []line{
		{"exporter", cost{"Operations/by=exporter", "cpu-ms/op"}, blue, draw.CircleGlyph{}},
		{"obvious exporter", cost{"Operations/by=obvious", "cpu-ms/op"}, red, draw.BoxGlyph{}},
	}},
	{"label-sets", "label sets", "CPU of a scrape, in ms", []line{
		{"exporter, first scrape after a poll", cost{"LabelSets/of=exporter-after-a-poll", "cpu-ms/op"}, blue, draw.CircleGlyph{}},
		{"exporter, later ones", cost{"LabelSets/of=exporter", "cpu-ms/op"}, sky, draw.RingGlyph{}},
		{"plain registry", cost{"LabelSets/of=registry", "cpu-ms/op"}, red, draw.BoxGlyph{}},
	}},
}

// svg draws a picture that is 600 pixels wide.
func (c *chart) svg(all costs) ([]byte, error) {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = c.x, c.y
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Tick.Marker, axis.AutoRescale = decades{}, true
	}
	p.Legend.Top, p.Legend.Left, p.Legend.Padding = true, true, 2
	for _, style := range []*text.Style{&p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
		style.Font.Variant, style.Font.Size = "Sans", 11
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = light, light
	p.Add(grid)
	if err := c.addLines(p, all); err != nil {
		return nil, err
	}

	canvas := vgsvg.New(450, 300)
	whole := draw.New(canvas)
	whole.SetColor(color.White)
	whole.Fill(whole.Path())
	p.Draw(draw.Crop(whole, 8, -20, 8, -8))
	var written bytes.Buffer
	if _, err := canvas.WriteTo(&written); err != nil {
		return nil, err
	}
	// The fallback fonts of Liberation have the same width.
	return bytes.ReplaceAll(written.Bytes(), []byte("Liberation Sans"), []byte("Liberation Sans,Arial,Helvetica,sans-serif")), nil
}

func (c *chart) addLines(p *plot.Plot, all costs) error {
	var proportion plotter.Line
	for i, l := range c.lines {
		points, err := all.medians(l.cost)
		if err != nil {
			return err
		}
		if i == 0 {
			proportion.XYs = logarithms(inProportion(points))
			proportion.LineStyle = draw.LineStyle{Color: dark, Width: 1, Dashes: []vg.Length{4, 3}}
			p.Add(&proportion)
		}
		line, marks, err := plotter.NewLinePoints(logarithms(points))
		if err != nil {
			return err
		}
		line.Color, line.Width = l.color, 1.5
		marks.GlyphStyle = draw.GlyphStyle{Color: l.color, Radius: 3, Shape: l.mark}
		p.Add(line, marks)
		p.Legend.Add(l.legend, line, marks)
	}
	p.Legend.Add("in proportion to the size", &proportion)
	return nil
}

// inProportion returns costs that are proportional to the size, up to the last one.
func inProportion(points []point) []point {
	first, last := points[0], points[len(points)-1]
	return []point{{first.size, last.value / float64(last.size) * float64(first.size)}, last}
}

func logarithms(points []point) (xys plotter.XYs) {
	for _, p := range points {
		xys = append(xys, plotter.XY{X: math.Log10(float64(p.size)), Y: math.Log10(p.value)})
	}
	return xys
}

// decades returns ticks at the powers of ten around all values, with minor ones between.
type decades struct{}

func (decades) Ticks(low, high float64) (ticks []plot.Tick) {
	for power := math.Floor(low); power <= math.Ceil(high); power++ {
		ticks = append(ticks, plot.Tick{Value: power, Label: grouped(math.Pow(10, power))})
		for i := 2.; i < 10 && power < high; i++ {
			ticks = append(ticks, plot.Tick{Value: power + math.Log10(i)})
		}
	}
	return ticks
}
