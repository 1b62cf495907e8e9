// The rules and dashboards of this repository for Jsonnet. With the defaults of _config they are those files.
local alerts = std.parseYaml(importstr '../rules/wolkvox.alerts.yml');
local rules = std.parseYaml(importstr '../rules/wolkvox.rules.yml');
local days = std.parseYaml(importstr '../rules/wolkvox.days.rules.yml');
local runbooks = 'https://github.com/wolkvox-exporter/wolkvox_exporter/blob/main/docs/runbooks/';

{
  _config+:: {
    // The service level: the share of the answered chats, and the seconds, 20, 30 or 60.
    serviceLevelShare: 0.8,
    serviceLevelWithin: '60',
    // Labels that every alert has as well, such as { team: 'care' }.
    alertLabels: {},
    // Where the runbooks are, if you keep a copy.
    runbookURL: runbooks,
    // Also the recording rules for days.
    days: false,
    dashboardTags: ['wolkvox'],
    dashboardRefresh: '1m',
    // That of Grafana, unless it is a zone such as 'America/Bogota', or 'browser'.
    dashboardTimezone: '',
  },

  local config = $._config,

  local configured(rule) =
    if std.objectHas(rule, 'alert') then rule {
      labels+: config.alertLabels,
      annotations+: {
        [if std.objectHas(rule.annotations, 'runbook_url') then 'runbook_url']:
          std.strReplace(rule.annotations.runbook_url, runbooks, config.runbookURL),
      },
    }
    else if rule.record == 'wolkvox:service_level:target' then rule {
      expr: if config.serviceLevelShare == 0.8 then super.expr else 'vector(%g)' % config.serviceLevelShare,
      labels+: { within: config.serviceLevelWithin },
    }
    else rule,

  prometheusAlerts+:: {
    groups+: [group { rules: std.map(configured, group.rules) } for group in alerts.groups],
  },

  prometheusRules+:: {
    groups+: rules.groups + (if config.days then days.groups else []),
  },

  local dashboards = {
    'wolkvox-agents.json': import '../dashboards/agents.json',
    'wolkvox-chats.json': import '../dashboards/chats.json',
    'wolkvox-exporter.json': import '../dashboards/exporter.json',
    'wolkvox-wallboard.json': import '../dashboards/wallboard.json',
  },

  grafanaDashboards+:: {
    [name]: dashboards[name] {
      tags: config.dashboardTags,
      refresh: config.dashboardRefresh,
      timezone: config.dashboardTimezone,
    }
    for name in std.objectFields(dashboards)
  },
}
