package main

// Sizes of text in pixels, see wallboard. A tile of 8 columns is 632 pixels wide: enough for
// "ASA off target 00:08:45".
const (
	figureSize = 80
	nameSize   = 28
	listSize   = 26
	ageSize    = 60
)

// tile shows one figure with its name, which says what a panel's title is too small for.
func tile() kind { return stat.with(wallText("value_and_name", "auto", nameSize, figureSize)) }

// ageTile is narrower than tile.
func ageTile() kind { return stat.with(wallText("value_and_name", "auto", nameSize, ageSize)) }

// namesOnly shows the names of several series, one below the other.
func namesOnly() kind { return stat.with(wallText("name", "horizontal", listSize, listSize)) }

func barGauge() kind {
	return kind{name: "bargauge", instant: true, format: "time_series", fromZero: true, options: merged(object{
		"displayMode": "basic", "showUnfilled": true, "minVizHeight": 10, "minVizWidth": 0,
		"reduceOptions": stat.options["reduceOptions"],
	}, wallText("", "horizontal", listSize, listSize))}
}

func wallText(mode, orientation string, name, value int) object {
	options := object{"orientation": orientation, "text": object{"titleSize": name, "valueSize": value}}
	if mode != "" {
		options["textMode"] = mode
	}
	return options
}

// trend shows how a tile's figure has changed today. The numbers of an axis would be too small.
func trend() kind {
	return withoutAxis(lines, object{"lineWidth": 3, "fillOpacity": 15, "showPoints": "never"})
}

func trendBars() kind { return withoutAxis(bars, object{}) }

func withoutAxis(k kind, custom object) kind {
	k.custom = merged(merged(k.custom, custom), object{"axisPlacement": "hidden"})
	return k.with(object{"legend": object{"showLegend": false, "displayMode": "list", "placement": "bottom", "calcs": []string{}}})
}

// wallColours are told apart by colour-blind people, too. None is green.
func wallColours() map[string]string {
	return map[string]string{"/on target$/": "blue", "/off target$/": "orange"}
}

// noFigure has the texts of figures that cannot be shown.
func noFigure() []object {
	return texts(map[string][2]string{missing: {"–", "text"}, outdated: {"–", "red"}})
}
