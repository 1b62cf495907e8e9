package main

import (
	"maps"
	"slices"
)

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

// People with any kind of colour blindness can tell these apart. None is green.
const (
	wallGood  = skyBlue
	wallBad   = orange
	wallWorst = red
)

func wallColours() map[string]string {
	return map[string]string{"/on target$/": wallGood, "/off target$/": wallBad}
}

// noFigure has the texts of figures that cannot be shown.
func noFigure() []object {
	return wallTexts(map[string][2]string{missing: {"–", "text"}, outdated: {"–", wallWorst}})
}

// wallTexts maps values to texts and colours, and no value to words.
func wallTexts(of map[string][2]string) []object {
	options := object{}
	for i, v := range slices.Sorted(maps.Keys(of)) {
		options[v] = object{"index": i, "text": of[v][0], "color": of[v][1]}
	}
	return []object{
		{"type": "value", "options": options},
		{"type": "special", "options": object{
			"match": "null+nan", "result": object{"index": len(of), "text": noAnswer, "color": wallWorst},
		}},
	}
}
