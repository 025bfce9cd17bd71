<?php
/**
 * Closte-sync: the engine behind Ultimate Multisite's Closte switch, seen from WordPress.
 *
 * This file names the plugin and loads the rest. It must never do any work of its own, and it must
 * work without having been activated by hand: activating only has the first pass made sooner.
 *
 * @package Closte_Sync
 *
 * Plugin Name:       closte-sync
 * Description:       Reports changes to closte-sync at once, saves what it finds through Ultimate Multisite, and shows in the network admin what it knows about each domain.
 * Version:           0.1.0
 * Requires at least: 5.9
 * Requires PHP:      7.4
 * Network:           true
 * Author:            The closte-sync authors
 * License:           GPL-2.0-or-later
 * License URI:       https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:       closte-sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

const FILE = __FILE__;

require_once __DIR__ . '/includes/autoload.php';

Plugin::start();
