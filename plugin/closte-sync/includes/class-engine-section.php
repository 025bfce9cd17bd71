<?php
/**
 * The part of our page about the engine that this plugin carries: whether it can run, how it does, and what to do
 * where it does not.
 *
 * @package Closte_Sync
 */

namespace Closte_Sync;

defined( 'ABSPATH' ) || exit;

/**
 * The section, and its one button.
 */
final class Engine_Section {

	const AGAIN = 'closte_sync_again';

	/**
	 * Listen to WordPress.
	 */
	public static function listen() {
		add_action( 'admin_post_' . self::AGAIN, array( self::class, 'again' ) );
	}

	/**
	 * Forget what failed, and have a pass made.
	 */
	public static function again() {
		Actions::demand( self::AGAIN );
		Passes::try_again();
		Nudge::mark( 'request' );
		Notices::go_back();
	}

	/**
	 * Show it.
	 */
	public static function show() {
		if ( ! Carried::is_there() ) {
			return;
		}
		Carried::look();
		printf( '<h2>%s</h2>', esc_html__( 'Engine', 'closte-sync' ) );
		$obstacle = Carried::obstacle();
		if ( null === $obstacle ) {
			self::show_able();
		} else {
			self::show_obstacle( $obstacle );
		}
		printf( '<details><summary>%s</summary><ul class="ul-disc">', esc_html__( 'What limits the upload of the next version', 'closte-sync' ) );
		array_map( array( self::class, 'show_item' ), Engine_Words::upload_limits() );
		echo '</ul></details>';
	}

	/**
	 * How it does.
	 */
	private static function show_able() {
		$runs  = Passes::runs();
		$where = Carried::known()['where'];
		if ( 0 < $runs['failures'] ) {
			Admin_Page::show_notice( 'error', Engine_Words::failure( $runs ) );
		}
		if ( Engine_Words::is_cron_missing() && Engine::is_switched_on() ) {
			Admin_Page::show_notice( 'error', Engine_Words::no_cron() );
			self::show_line( Engine_Words::cron_line() );
		}
		if ( 0 === $runs['failures'] && Pass_Rules::is_given_up( Passes::detached() ) ) {
			Admin_Page::show_notice( 'warning', Engine_Words::unheard() );
			printf( '<p><a class="button" href="%s">%s</a></p>', esc_url( Actions::url( self::AGAIN ) ), esc_html( Engine_Words::try_again() ) );
		}
		echo '<ul class="ul-disc">';
		self::show_item( __( 'This plugin carries the engine and can run it here: in the requests of WP-Cron, and after changes. Nothing else is needed.', 'closte-sync' ) );
		if ( null !== $runs['last'] ) {
			self::show_item( Engine_Words::last( $runs['last'] ) );
		}
		self::show_item( Engine::is_switched_on() ? Engine_Words::next() : __( 'Closte is switched off, so no passes are made.', 'closte-sync' ) );
		self::show_item( Engine_Words::at_rest() );
		/* translators: %s: a path. */
		self::show_item( sprintf( __( 'The ledger, in which the engine remembers what it did, is %s. It stays when this plugin is deleted, as does the mark that this installation acts for the network; all else is removed then.', 'closte-sync' ), $where['ledger'] ) );
		echo '</ul>';
	}

	/**
	 * What it is kept by, and what to do instead.
	 *
	 * @param array $obstacle See `Obstacles`.
	 */
	private static function show_obstacle( array $obstacle ) {
		Admin_Page::show_notice( Engine::is_heard_of() ? 'info' : 'error', Obstacles::text( $obstacle ) );
		if ( in_array( $obstacle['code'], Obstacles::OF_THE_PROGRAM, true ) ) {
			printf( '<p>%s</p>', esc_html__( 'To have cron run an engine instead, get one for that machine: the archive closte-sync-VERSION-x86_64-linux.tar.gz, or build it from its source with `cargo build --release`. On the machine, `closte-sync setup` then shows the line for cron, such as:', 'closte-sync' ) );
			self::show_line( '*/5 * * * * closte-sync --wp-config ' . Engine_Words::quoted( Carried::wp_config() ) . ' sync --quiet' );
		} else {
			printf( '<p>%s</p>', esc_html__( 'Or have cron run it instead, with this line in the crontab of the host:', 'closte-sync' ) );
			self::show_line( Engine_Words::engine_line( $obstacle ) );
		}
	}

	/**
	 * A line to be copied.
	 *
	 * @param string $line It.
	 */
	private static function show_line( $line ) {
		printf( '<pre class="closte-sync-copy"><code>%s</code></pre>', esc_html( $line ) );
	}

	/**
	 * An item of a list.
	 *
	 * @param string $text It.
	 */
	private static function show_item( $text ) {
		printf( '<li>%s</li>', esc_html( $text ) );
	}
}
