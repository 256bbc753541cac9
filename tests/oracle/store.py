"""Everything the answers are worked out from, settled once for a set."""

from functools import cached_property

import days
import months
import statements


class Store:
    def __init__(self, loads, disclosures, options, metrics):
        self.options, self.metrics = options, metrics
        self.disclosures = disclosures
        self.usage, self.before = days.live_usage(loads)
        self.networks = {options["network"]: options["carry"]} if options["network"] else {}

    @cached_property
    def changes(self):
        return days.changes(self.usage)

    @cached_property
    def daily(self):
        return days.daily(self.usage, self.changes, self.metrics)

    @cached_property
    def impossible(self):
        return days.impossible(self.daily, self.options["confirmed"])

    @cached_property
    def unlikely(self):
        return days.unlikely(self.daily, self.usage, self.before)

    @cached_property
    def bad(self):
        return {days.where(d) for d in self.impossible}

    @cached_property
    def network_days(self):
        return days.network_days(self.daily, self.bad, self.networks)

    @cached_property
    def platform_days(self):
        return days.platform_days(self.daily, self.bad, self.network_days, self.networks)

    @cached_property
    def months(self):
        return months.own_months(self.platform_days, self.changes, self.metrics)

    @cached_property
    def growth(self):
        pairs = months.network_pairs(self.daily, self.bad, self.networks)
        return months.own_growth(self.platform_days, self.months, pairs, self.networks)

    @cached_property
    def statements(self):
        return statements.statements(self.disclosures, self.options["disputes"], self.metrics)

    @cached_property
    def known(self):
        return months.known(self.months, self.statements)
